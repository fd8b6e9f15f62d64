"""Speech: a corpus that is spoken on the spot, text to phonemes to mel to sound, and the judge that listens."""
