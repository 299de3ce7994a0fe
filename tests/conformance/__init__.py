"""One scenario file, two arms: the models of the course and the real Apache Kafka must come to the same verdicts."""
