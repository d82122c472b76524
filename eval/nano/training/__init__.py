"""How the small model that ships was trained: pages, lessons, losses, and the two stages of training."""
