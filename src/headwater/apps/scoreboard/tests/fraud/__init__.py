"""The tests of fraud detection, and the season they are made of."""
