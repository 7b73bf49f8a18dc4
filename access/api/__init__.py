"""What every part of the API rests on: who asks, what they may do, how keys are spelt, how lists are cut."""
