"""What PostgreSQL's pgoutput sends, taken apart: bytes written by hand and bytes from a real server."""
import struct

import pytest

from labs.pgoutput import Begin, Commit, Decoder, Insert, Message, Relation, Unknown, Update, decoded, text_lsn

RELATION = (b"R" + struct.pack(">I", 7) + b"public\0orders\0d" + struct.pack(">H", 2)
            + b"\1id\0" + struct.pack(">Ii", 23, -1) + b"\0note\0" + struct.pack(">Ii", 25, -1))


def value(text: str) -> bytes:
    return b"t" + struct.pack(">i", len(text)) + text.encode()


def test_messages_written_by_hand():
    decoder = Decoder()
    assert decoder.decode(b"B" + struct.pack(">QqI", 9, 5, 77)) == Begin(9, 5, 77)
    assert decoder.decode(RELATION) == Relation(7, "orders", ("id", "note"))
    insert = b"I" + struct.pack(">I", 7) + b"N" + struct.pack(">H", 2) + value("1") + b"n"
    assert decoder.decode(insert) == Insert("orders", {"id": "1", "note": None})
    assert decoder.decode(b"C\0" + struct.pack(">QQq", 9, 10, 5)) == Commit(9, 10, 5)
    assert decoder.decode(b"T....") == Unknown("T")


def test_positions_read_like_postgresqls():
    assert text_lsn(0x16B3748) == "0/16B3748" and text_lsn((3 << 32) + 10) == "3/A"


@pytest.fixture
def slot(database):
    with database.connect() as db:
        db.execute("CREATE TABLE words (id int PRIMARY KEY, word text, long text)")
        db.execute("ALTER TABLE words ALTER long SET STORAGE EXTERNAL")
        db.execute("CREATE PUBLICATION words FOR TABLE words")
        db.execute("SELECT pg_create_logical_replication_slot('words', 'pgoutput')")
        yield db
        db.execute("SELECT pg_drop_replication_slot('words')")
        db.execute("DROP TABLE words; DROP PUBLICATION words")


@pytest.mark.real
def test_a_real_transaction(slot):
    with slot.transaction():
        slot.execute("INSERT INTO words VALUES (1, 'über', repeat('x', 5000)), (2, NULL, NULL)")
        slot.execute("UPDATE words SET id = 3 WHERE id = 1")  # a new key: the old one comes along, `long` does not
        slot.execute("DELETE FROM words WHERE id = 2")
        slot.execute("SELECT pg_logical_emit_message(true, 'outbox', 'hello')")
    changes = list(decoded(slot, "words", "words"))
    begin, relation, first, second, update, delete, message, commit = (change.message for change in changes)
    assert isinstance(begin, Begin) and isinstance(commit, Commit) and begin.lsn == commit.lsn < commit.end_lsn
    assert relation.table == "words" and relation.columns == ("id", "word", "long")
    assert first == Insert("words", {"id": "1", "word": "über", "long": "x" * 5000})
    assert second == Insert("words", {"id": "2", "word": None, "long": None})
    assert update == Update("words", {"id": "3", "word": "über"})
    assert delete.table == "words" and delete.row["id"] == "2"
    assert message == Message("outbox", b"hello", True)
    assert len({change.xid for change in changes}) == 1


@pytest.mark.real
def test_what_is_rolled_back_never_comes_and_what_is_kept_comes_again(slot):
    slot.execute("INSERT INTO words VALUES (1, 'kept', NULL)")
    with pytest.raises(ZeroDivisionError), slot.transaction():
        slot.execute("INSERT INTO words VALUES (2, 'gone', NULL)")
        raise ZeroDivisionError
    for keep in (True, False):
        messages = [change.message for change in decoded(slot, "words", "words", keep=keep)]
        assert [message.row["word"] for message in messages if isinstance(message, Insert)] == ["kept"]
    assert not list(decoded(slot, "words", "words"))
