"""The KRaft quorum: voters keep the metadata log, brokers read it, and whoever leads it is the active controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....kernel.disk import Disk
from ....kernel.raft import Entry, Group, Member
from ..messages import REQUEST_OVERHEAD, PartitionState
from .active import ActiveController, AlterPartition, Heartbeat
from .config import KRaft
from .metadata import RECORD_BYTES, BrokerFenced, BrokerRegistered, Metadata, PartitionChanged

if TYPE_CHECKING:
    from ....kernel.node import Node
    from ..broker import Broker
    from ..cluster import KafkaSystem
    from ..partition import Leadership

TOPIC = "__cluster_metadata"
PAUSE = 0.1    # seconds after which a broker looks again whether somebody leads
RETRY = 0.5    # seconds after which an unanswered AlterPartition is sent again

SENTENCES = {
    "active": ("state", "{node} is the active controller; it knows all metadata up to offset {offset}"),
    "decided": ("local", "{node} decides, at offset {offset} of {key}: {note}"),
    "alter_partition_refused": ("send", "{node} tells {peer} that the in-sync replicas of {key} stay as they are"),
}


class Quorum:
    """Voters on nodes of their own or, combined, on the first brokers; every broker reads the log."""

    def __init__(self, system: KafkaSystem, states: list[PartitionState], control: KRaft):
        self.system, self.config, self.world, self.kinds = system, system.config, system.world, system.kinds
        self.own = {kind: self.world.trace.kind(kind, *told) for kind, told in SENTENCES.items()}
        self.readers = {broker.node.name: broker for broker in system.brokers}
        voters = self._voters(control)
        observers = [broker.node for broker in system.brokers if broker.node not in voters]
        disks = {node.name: Disk(node, self.config.disk) for node in voters if node.name not in self.readers}
        disks |= {broker.node.name: broker.disk for broker in system.brokers}
        self.group = Group(self.world, TOPIC, voters, control.raft, observers, disks)
        self.images = {name: Metadata() for name in self.group.members}
        self.offices: dict[str, ActiveController] = {}
        self.seeking: dict[int, int] = {}  # broker -> the life in which it waits for somebody to lead
        self.group.apply = self._apply
        self.first = self._first_batch(states)

    def _voters(self, control: KRaft) -> list[Node]:
        if control.combined:
            return [broker.node for broker in self.system.brokers[:control.voters]]
        zones, numbers = self.config.zones, range(control.voters)
        return [self.world.node(f"controller-{i + 1}", "controller", zones[i % len(zones)]) for i in numbers]

    def _first_batch(self, states: list[PartitionState]) -> tuple:
        """The metadata of a healthy cluster."""
        brokers = range(self.config.brokers)
        return (*(BrokerRegistered(index, 0) for index in brokers), *(BrokerFenced(index, False) for index in brokers),
                *map(PartitionChanged, states))

    def begin(self) -> None:
        """Everybody's log begins with the metadata of a healthy cluster, and the first voter asks for votes at once."""
        self.group.begin_with(self.first, RECORD_BYTES * len(self.first))
        for broker in self.system.brokers:
            broker.start()
        states = [record.state for record in self.first if isinstance(record, PartitionChanged)]
        for broker in self.system.brokers:
            broker.on_metadata((broker.node.incarnation, states), -1)
        self.group.voters[0].stand()

    # What is committed

    @property
    def latest(self) -> Metadata:
        """The image of the member that has applied most."""
        return max(self.images.values(), key=lambda image: image.end_offset)

    @property
    def partitions(self) -> dict[int, PartitionState]:
        """Every partition as the log has it."""
        return self.latest.partitions

    @property
    def brokers(self) -> dict:
        """Every broker as the log has it."""
        return self.latest.brokers

    @property
    def active(self) -> ActiveController | None:
        """The active controller, None if there is none; one that is cut off and deposed does not count."""
        leader = self.group.leader
        return self.office(leader) if leader else None

    def office(self, member: Member) -> ActiveController | None:
        """The term of office of a member that leads and has caught up."""
        office = self.offices.get(member.name)
        return office if office and office.in_office else None

    def _apply(self, member: Member, offset: int, entry: Entry, event: int) -> None:
        """A member applies a committed entry; the empty one with which a leader began makes it active."""
        if offset == 0:
            self.images[member.name] = Metadata()
        image = self.images[member.name]
        image.apply(offset, entry.value or ())
        if entry.value is None and member.leads(entry.term):
            self.offices[member.name] = ActiveController(self, member, event)
        if member.name in self.readers:
            member.node.after(0.0, self._tell, self.readers[member.name], image, event)

    def _tell(self, broker: Broker, image: Metadata, event: int) -> None:
        """A broker obeys what it has read, once it has read that it is registered in its present life."""
        registration = image.brokers.get(broker.index)
        if registration is None or registration.incarnation != broker.node.incarnation:
            return
        if image.changed or not broker.registered:
            changed, image.changed = list(image.changed.values()), {}
            new = not broker.registered
            broker.on_metadata((broker.node.incarnation, changed), event)
            if new:
                self.send_heartbeat(broker)

    # What brokers say to the active controller

    def send_heartbeat(self, broker: Broker) -> None:
        """A broker says that it is alive, or registers, to the leader it knows; without one it looks again soon."""
        broker.readmit(self.images[broker.node.name].brokers)
        leader = self._leader(broker)
        if leader is None:
            self._seek(broker)
            return
        kind = self.kinds.heartbeat if broker.registered else self.kinds.register
        node = broker.node
        message = Heartbeat(broker.index, node.incarnation, broker.clean_shutdown, self.images[node.name].end_offset)
        receiver = self._receiver(leader, "on_heartbeat")
        broker.link(leader.node).send(kind, receiver, message, REQUEST_OVERHEAD, node.fault)

    def _leader(self, broker: Broker) -> Member | None:
        name = self.group.members[broker.node.name].leader
        return self.group.members[name] if name else None

    def _seek(self, broker: Broker) -> None:
        if self.seeking.get(broker.index) != broker.node.incarnation:
            self.seeking[broker.index] = broker.node.incarnation
            broker.node.after(PAUSE, self._look_again, broker)

    def _look_again(self, broker: Broker) -> None:
        del self.seeking[broker.index]
        self.send_heartbeat(broker)

    def send_alter_partition(self, leadership: Leadership, isr: tuple[int, ...]) -> int:
        """A leader asks for another in-sync set, and again until the log says what became of it."""
        broker, state = leadership.broker, leadership.state
        broker.node.after(RETRY, self._ask_again, leadership, isr)
        leader = self._leader(broker)
        if leader is None:
            return -1
        lives = tuple(self._life(broker, index) for index in isr)
        return broker.link(leader.node).send(
            self.kinds.alter_partition, self._receiver(leader, "on_alter_partition"),
            AlterPartition(broker.index, state, isr, lives, leadership), REQUEST_OVERHEAD, leadership.last_append,
            state.key, epoch=state.leader_epoch)

    def _life(self, leader: Broker, index: int) -> int:
        """The life in which a replica fetched last, as its leader knows it."""
        replica = self.system.brokers[index]
        session = leader.sessions.get(replica)
        return leader.node.incarnation if replica is leader else session.incarnation if session else -1

    def _ask_again(self, leadership: Leadership, isr: tuple[int, ...]) -> None:
        if leadership.broker.leading.get(leadership.key) is leadership and leadership.proposed is isr:
            leadership.broker.alter_partition(leadership, isr)

    def refuse(self, controller: Node, message: AlterPartition, event: int) -> None:
        """Tells a leader that its in-sync set stays; the only answer after which it may forget what it proposed."""
        broker = self.system.brokers[message.broker]
        self.world.network.link(controller, broker.node).send(
            self.own["alter_partition_refused"], self._on_refused, message, REQUEST_OVERHEAD, event, message.asked.key)

    def _on_refused(self, message: AlterPartition, event: int) -> None:
        leadership = message.leadership
        if leadership.proposed is message.isr and leadership.state is message.asked:
            leadership.proposed = None

    def _receiver(self, member: Member, rule: str):
        """The handler of a request at a controller; one that is not active does not answer."""
        def handle(message, event: int) -> None:
            office = self.office(member)
            if office:
                getattr(office, rule)(message, event)
        return handle
