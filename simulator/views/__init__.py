"""Pictures of recorded evidence: figures and the player. They know no broker, so a real one's history draws too."""
