"""Writes documents into indexes: one writer of tantivy for each index of a run, opened when it is first needed.

A document replaces the one of the same key, so to write it twice is to write it once. Nothing counts before `commit`,
and nobody knows of a new making before its position is saved. The caller has seen to it that nobody else writes
(`Layout.alone`). What tantivy cannot do it says by ValueError, which passes through.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tantivy import Index, IndexWriter

from node.catalog.search import schema
from node.catalog.search.layout import Layout

BULK_HEAP = 128 * 1024 * 1024
SMALL_HEAP = 20 * 1024 * 1024


class Writing:
    """The writers of one run. Closing it without a commit leaves every index as it was."""

    def __init__(self, layout: Layout, makings: Mapping[str, int], *, bulk: bool) -> None:
        """Write into these makings, and into new ones of indexes that have none; `bulk` takes memory for speed."""
        self._layout = layout
        self._heap = BULK_HEAP if bulk else SMALL_HEAP
        self._writers: dict[str, IndexWriter] = {}
        self._indexes: dict[str, Index] = {}
        self.makings = dict(makings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writers.clear()  # a writer that goes takes its lock, and what was not committed, along
        self._indexes.clear()

    def writer(self, index: str) -> IndexWriter:
        """Give the writer of an index, made with its folder where there is none."""
        if index not in self._writers:
            self._indexes[index] = self._index(index)
            self._writers[index] = self._indexes[index].writer(self._heap, 1)
        return self._writers[index]

    def _index(self, index: str) -> Index:
        if index in self.makings:
            return Index.open(str(self._layout.path(index, self.makings[index])))
        self.makings[index] = self._layout.next_making(index)
        path = self._layout.path(index, self.makings[index])
        path.mkdir(mode=0o700, parents=True)
        return Index(schema.schema(), str(path))

    def put(self, index: str, key: str, document: str, *, fresh: bool = False) -> None:
        """Write a document; `fresh` where no other of its key can be there, which saves looking."""
        writer = self.writer(index)
        if not fresh:
            writer.delete_documents_by_term(schema.KEY, key)
        writer.add_json(document)

    def take_out(self, index: str, key: str) -> None:
        """Take the document of a key out."""
        self.writer(index).delete_documents_by_term(schema.KEY, key)

    def take_out_all(self, index: str, collection: str) -> None:
        """Take every document of a collection out."""
        self.writer(index).delete_documents_by_term(schema.COLLECTION, collection)

    def commit(self) -> None:
        """Put on disk what was written; after that it may be read."""
        for writer in self._writers.values():
            writer.commit()

    def settle(self) -> None:
        """Wait for the segments that are being merged; nothing can be written afterwards."""
        while self._writers:
            self._writers.popitem()[1].wait_merging_threads()

    def records(self) -> int:
        """Count the documents in the indexes that were written to, as of the last commit."""
        total = 0
        for index in self._indexes.values():
            index.reload()
            total += index.searcher().num_docs
        return total
