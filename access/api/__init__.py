"""What the whole API rests on: who asks, what they may do, how keys are spelled, how lists are paged."""
