"""The chemical that particles follow: solvers of the second equation of (1), one file each."""
