"""News summarization: lead, TextRank, an extractive and an abstractive model, and how a summary is measured."""
