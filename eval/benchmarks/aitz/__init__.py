"""AITZ (Android in the Zoo): episodes on phones, each step with a thought, scored as Android in the Wild is."""
