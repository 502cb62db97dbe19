"""Programs of the case `baselines`, each run by a Python that has other people's packages; they import nothing of ours."""
