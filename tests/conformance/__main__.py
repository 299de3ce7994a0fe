"""Plays every scenario on the models and on a real Kafka and prints the table: `python -m tests.conformance`."""

from labs.servers import kafka_install

from . import model, real
from .table import table
from .verdicts import SCENARIOS

if __name__ == "__main__":
    models = {name: getattr(model, name)() for name in SCENARIOS}
    reals = kafka_install.missing()
    if kafka_install.find():
        with real.broker() as cluster:
            reals = {name: getattr(real, name)(cluster) for name in SCENARIOS}
    print(table(models, reals))
