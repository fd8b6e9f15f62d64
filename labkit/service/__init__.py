"""A customer service for a made-up shop: intents, look-ups, knowledge, hand-over, and the attacks that it must survive."""
