"""An order from the click to the money: its facts, what they add up to, and each step on the way."""
