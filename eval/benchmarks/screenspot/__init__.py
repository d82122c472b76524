"""ScreenSpot-v2 and ScreenSpot-Pro: one picture, one instruction, one box to point into."""
