"""What the chapters measure and draw beyond a run's own report: small helpers, one module a chapter."""
