"""Text to image at 28x28: scenes and digits with captions, a conditional GAN, flow matching, and their judges."""
