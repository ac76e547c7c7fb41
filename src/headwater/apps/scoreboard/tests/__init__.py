"""The tests of the scoreboard."""
