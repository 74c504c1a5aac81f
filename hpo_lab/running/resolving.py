"""Which experiment a name means: that of this project, else of none, else the only other."""

from __future__ import annotations

from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["resolve"]


def resolve(
    store: Store,
    name: str,
    namespace: str = "default",
    project: str = "",
    *,
    anywhere: bool = True,
) -> ExperimentRecord:
    """The experiment that *name* means to someone in *project*.

    Args:
        store: Where to look.
        name: `NAME`, or `NAMESPACE/NAME`.
        namespace: Where *name* says none.
        project: The folder of who asks.
        anywhere: Whether a *name* without a namespace that *namespace* has not is looked for in
            the others, too.

    Raises:
        InvalidInput: There is none, the message says the nearest; or several other projects or
            namespaces have one, the message lists them.
    """
    before, slash, last = name.rpartition("/")
    # No experiment has a name with half of a surrogate pair, which no database would look for.
    is_text = not any("\ud800" <= each <= "\udfff" for each in f"{name}{namespace}")
    listed = store.named(last, before if slash else namespace) if is_text else []
    if is_text and not listed and not slash and anywhere:
        listed = store.named(last, None)
        titles = sorted({each.title for each in listed})
        if len(titles) > 1:
            message = f"several namespaces have one; say which: {', '.join(titles)}"
            raise InvalidInput([Problem(name, message)])
    records = {each.project: each for each in listed}
    record = records.get(project) or records.get("")
    if record is None and len(records) == 1:
        (record,) = records.values()
    if record is not None:
        return record
    if records:
        folders = ", ".join(sorted(records))
        message = f"several projects have one, and {project or 'this'} is none of them: {folders}"
        raise InvalidInput([Problem(name, f"{message}; go into the folder of the one meant")])
    titles = sorted({each.title for each in store.experiments()})
    there = f"known are {', '.join(titles)}" if titles else "there are none yet"
    raise InvalidInput([Problem(name, f"no such experiment; {there}{nearest(name, titles)}")])
