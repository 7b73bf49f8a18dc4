"""What every part of the API rests on: who asks, what they may do, how keys are spelled, how lists are cut."""
