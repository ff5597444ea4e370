"""What makes the chemical that particles follow: the second equation of (1)."""
