"""The reading report: what policies say, clause by clause, and what the model made of it."""
