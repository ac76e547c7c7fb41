"""Where the cluster of a data folder lies: in it, or, where root's user cannot reach that, in a folder of ours."""

import asyncio
import hashlib
import os
import secrets
import shutil
from pathlib import Path

from headwater.kernel.database.embedded.account import Account, give, give_tree, owner_of, run
from headwater.kernel.database.embedded.errors import ClusterLost, ClusterOfAnotherUser, NoPlaceForCluster
from headwater.kernel.database.embedded.files import CLUSTER, LOCATION, write_whole

ELSEWHERE = Path("/var/tmp/headwater")  # noqa: S108 used only where /var/lib cannot be written, and only if it is root's


def known_cluster(folder: Path) -> Path:
    """Where `folder` says its cluster lies, whether it exists or not; ClusterLost when it says so and is wrong."""
    location = folder / LOCATION
    try:
        cluster = Path(location.read_text().strip())
    except FileNotFoundError:
        return folder / CLUSTER
    if not _exists(cluster):
        raise ClusterLost(location=location, place=cluster)
    return cluster


async def settle(folder: Path, account: Account, state_folder: Path) -> Path:
    """A place for the cluster that `account` can reach; an existing cluster is there when this returns.

    A place other than `known_cluster` counts once `keep_location` is called; until then a crash changes nothing. The
    modes of folders that are there already stay as they are.
    """
    cluster = known_cluster(folder)
    exists = _exists(cluster)
    if os.geteuid() != 0:
        if exists and cluster.stat().st_uid != os.geteuid():
            raise ClusterOfAnotherUser(folder=cluster, owner=owner_of(cluster))
        return cluster
    if exists and cluster.stat().st_uid == 0:
        await asyncio.to_thread(give_tree, cluster, account)  # a copy made by root, as a restored backup is
    trial = cluster if exists else make_room(cluster, account)
    if await _reaches(account, trial):
        return cluster
    place = await _place(folder, account, state_folder) / CLUSTER
    if exists:
        await asyncio.to_thread(_copy, cluster, place, account)
    else:
        shutil.rmtree(trial)
    return place


def make_room(cluster: Path, account: Account) -> Path:
    """An empty folder beside `cluster` to build it in; what interrupted starts left there goes.

    Its name is new each time: the initdb of a start that was just killed may still be removing what it had begun, by
    its path, and must find nothing of ours there.
    """
    for begun in cluster.parent.glob(f"{cluster.name}.new*"):
        shutil.rmtree(begun, ignore_errors=True)
    building = cluster.with_name(f"{cluster.name}.new-{secrets.token_hex(4)}")
    building.mkdir(mode=0o700)
    give(building, account)
    return building


def keep_location(folder: Path, cluster: Path) -> None:
    """Write down that the cluster of `folder` lies elsewhere, and remove the one that was copied from here."""
    write_whole(folder / LOCATION, f"{cluster}\n", 0o644)
    shutil.rmtree(folder / CLUSTER, ignore_errors=True)


def _exists(cluster: Path) -> bool:
    try:
        return cluster.exists()
    except PermissionError:
        raise ClusterOfAnotherUser(folder=cluster, owner="root") from None


async def _reaches(account: Account, folder: Path) -> bool:
    """True when `account` may really write there: asked of the machine, which knows more than mode bits."""
    status, _ = await run(account, ["/bin/sh", "-c", 'cd "$1" && [ -w . ]', "sh", folder])
    return status == 0


async def _place(folder: Path, account: Account, state_folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    for base in (state_folder, ELSEWHERE):
        try:
            place = _make_place(base, name)
        except OSError:
            continue
        trial = make_room(place / CLUSTER, account)
        reached = await _reaches(account, trial)
        shutil.rmtree(trial)
        if reached:
            return place
        place.rmdir()
    raise NoPlaceForCluster(account=account.name, places=f"{folder}, {state_folder}, {ELSEWHERE}")


def _make_place(base: Path, name: str) -> Path:
    """A new folder for one data folder; a name that is taken belongs to a data folder that was deleted, or moved."""
    if not base.exists():
        base.mkdir(parents=True)
        base.chmod(0o755)
    if base.is_symlink() or base.stat().st_uid != 0:
        raise PermissionError(f"{base} is not root's")
    taken = 0
    while True:
        place = base / (f"{name}-{taken}" if taken else name)
        try:
            place.mkdir()
        except FileExistsError:
            taken += 1
        else:
            place.chmod(0o711)
            return place


def _copy(cluster: Path, place: Path, account: Account) -> None:
    building = make_room(place, account)
    shutil.copytree(cluster, building, symlinks=True, dirs_exist_ok=True)
    give_tree(building, account)
    os.sync()
    building.rename(place)
