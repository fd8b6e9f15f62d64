"""Text: a generated town, tokenizers, n-gram, LSTM and GPT language models, their training and decoding."""
