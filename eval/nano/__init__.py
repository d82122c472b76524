"""`guikv nano`: how well the shipped model acts, live, and what it is made of."""
