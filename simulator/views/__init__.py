"""Pictures of recorded evidence: figures and the player. They import only `simulator.evidence`, so a real broker's history draws too."""
