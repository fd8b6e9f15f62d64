"""A dialogue system: a corpus of small talk and of questions about the town, Seq2Seq with attention, baselines."""
