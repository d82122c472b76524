"""AndroidControl in its three published forms."""
