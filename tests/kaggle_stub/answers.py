"""What the stub's API answers: metadata, listings, the way to a file, submissions, and refusals."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kaggle_stub.content import Thing, archive, page

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "KGAT_stub_token_planted"
USERNAME, KEY = "stubuser", "legacy_key_planted"
REFRESH = "refresh_token_planted"
CREATED = "2023-11-14T22:13:20.1234567Z"
RULES = "You must accept this competition's rules before you'll be able to download files."
CONSENT = "User has not consented to terms of use"


class Refused(Exception):  # noqa: N818 - a refusal
    """The API says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Answers:
    """The things of every kind by name, and the answers about them."""

    def __init__(self) -> None:
        self.datasets: dict[str, Thing] = {}
        self.competitions: dict[str, Thing] = {}
        self.models: dict[str, Thing] = {}  # owner/model/FRAMEWORK/variation
        self.notebooks: dict[str, Thing] = {}
        self.stored: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.submissions: list[dict[str, Any]] = []
        self.pending = 1  # how often a submission's score is asked for before it is there
        self.outcome = {"status": "COMPLETE", "publicScore": "0.77511", "privateScore": ""}  # and then
        self.limits: dict[str, Any] = {}  # of a day's submissions; empty for a few
        self.signed_in = ""  # who asked last: token, key, or nobody
        self.anonymous = True  # whether nobody in particular may ask

    def add_dataset(self, name: str, versions: dict[int, dict[str, bytes]], **meta: Any) -> Thing:
        """Add a dataset with its files by version; ``meta`` is what Kaggle says of it."""
        self.datasets[name] = Thing(meta, versions)
        return self.datasets[name]

    def add_competition(self, name: str, files: dict[str, bytes], **meta: Any) -> Thing:
        """Add a competition; ``userHasEntered=False`` puts its rules in the way."""
        self.competitions[name] = Thing({"userHasEntered": True, **meta}, {1: files})
        return self.competitions[name]

    def add_model(self, name: str, versions: dict[int, dict[str, bytes]], **meta: Any) -> Thing:
        """Add a model's variation: ``owner/model/PY_TORCH/variation``."""
        self.models[name] = Thing(meta, versions)
        return self.models[name]

    def add_notebook(self, name: str, versions: dict[int, dict[str, bytes]], **meta: Any) -> Thing:
        """Add a notebook with its output."""
        self.notebooks[name] = Thing(meta, versions)
        return self.notebooks[name]

    def sign_in(self, header: str | None) -> None:
        """Refuse whoever shows credentials that are not ours."""
        basic = "Basic " + base64.b64encode(f"{USERNAME}:{KEY}".encode()).decode()
        known = {None: "", f"Bearer {TOKEN}": "token", basic: "key"}
        if header not in known or (header is None and not self.anonymous):
            raise Refused(401, "Unauthorized")
        self.signed_in = known[header]

    def stored_at(self, path: str) -> bytes | None:
        """Return the bytes at a path of the storage."""
        return self.stored.get(unquote(path).lstrip("/"))

    def link(self, name: str, content: bytes) -> str:
        """Return a signed address for these bytes; the server knows its own port."""
        raise NotImplementedError

    def answer(self, method: str, body: dict[str, Any]) -> dict[str, Any] | str:
        """Return the answer to a call: JSON values, or the address that a download redirects to."""
        known: dict[str, Callable[[dict[str, Any]], dict[str, Any] | str]] = {
            "GetDataset": self._get_dataset,
            "GetDatasetMetadata": self._get_dataset_metadata,
            "ListDatasetFiles": self._list_dataset_files,
            "DownloadDataset": self._download_dataset,
            "ListDatasets": lambda asked: page(self._found(self.datasets, asked), asked, "datasets"),
            "GetCompetition": self._get_competition,
            "ListCompetitionPages": lambda asked: {"pages": self._of(self.competitions, asked).extra.get("pages", [])},
            "ListDataFiles": self._list_data_files,
            "DownloadDataFiles": self._download_data_files,
            "ListCompetitions": lambda asked: page(self._found(self.competitions, asked), asked, "competitions"),
            "GetModel": self._get_model,
            "GetModelInstance": self._get_model_instance,
            "ListModelInstances": self._list_model_instances,
            "ListModelInstanceVersions": self._list_model_versions,
            "ListModelInstanceVersionFiles": self._list_model_files,
            "DownloadModelInstanceVersion": self._download_model,
            "ListModels": lambda asked: page(self._found(self.models, asked), asked, "models"),
            "GetKernel": self._get_kernel,
            "DownloadKernelOutput": self._download_notebook,
            "ListKernelSessionOutput": self._list_output,
            "ListKernels": lambda asked: page(self._found(self.notebooks, asked), asked, "kernels"),
            "StartSubmissionUpload": self._start_upload,
            "CreateSubmission": self._submit,
            "GetSubmission": self._get_submission,
            "ListSubmissions": lambda asked: page([*map(self._scored, self.submissions[::-1])], asked, "submissions"),
            "GetLeaderboard": self._leaderboard,
            "GetSubmissionLimits": lambda _: self.limits or {"numToday": len(self.submissions), "numAllowedNow": 5},
            "GenerateAccessToken": self._renew,
            "IntrospectToken": self._introspect,
        }
        if method not in known:
            raise Refused(404, f"no such method: {method}")
        return known[method](body)

    def _of(self, things: dict[str, Thing], body: dict[str, Any], *, version: int | None = None) -> Thing:
        if "competitionName" in body:
            name = str(body["competitionName"])
        elif "modelSlug" in body:
            framework = str(body.get("framework", "")).removeprefix("MODEL_FRAMEWORK_")
            name = f"{body['ownerSlug']}/{body['modelSlug']}/{framework}/{body.get('instanceSlug', '')}"
        elif "datasetSlug" in body:
            name = f"{body['ownerSlug']}/{body['datasetSlug']}"
        else:
            name = f"{body.get('ownerSlug') or body.get('userName')}/{body['kernelSlug']}"
        thing = things.get(name)
        if thing is None:
            raise Refused(404, "Not found")
        if thing.gate:
            raise Refused(*thing.gate)
        if version is not None and version not in thing.versions:
            raise Refused(404, f"Version {version} not found")
        return thing

    def _found(self, things: dict[str, Thing], body: dict[str, Any]) -> list[dict[str, Any]]:
        words = str(body.get("search", "")).lower().split()
        return [
            {"ref": name, **thing.meta}
            for name, thing in things.items()
            if all(word in f"{name} {thing.meta.get('title', '')}".lower() for word in words)
        ]

    def _get_dataset(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.datasets, body)
        owner, slug = body["ownerSlug"], body["datasetSlug"]
        size = sum(map(len, thing.versions[thing.newest].values())) if thing.versions else 0
        versions = [
            {"versionNumber": number, "creationDate": CREATED, "status": "READY"} for number in sorted(thing.versions)
        ]
        return {
            "id": 1,
            "ref": f"{owner}/{slug}",
            "title": slug,
            "currentVersionNumber": thing.newest if thing.versions else 0,
            "totalBytes": size,
            "lastUpdated": CREATED,
            "versions": versions,
            "somethingNew": {"nobody": "knows"},
            **thing.meta,
        }

    def _get_dataset_metadata(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.datasets, body)
        return {"info": {"datasetSlug": body["datasetSlug"], "ownerUser": body["ownerSlug"], **thing.extra}}

    def _list_dataset_files(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.datasets, body)
        version = int(body.get("datasetVersionNumber") or thing.newest)
        files = self._of(self.datasets, body, version=version).versions[version]
        items = [{"name": name, "totalBytes": len(content), "creationDate": CREATED} for name, content in files.items()]
        return page(items, body, "datasetFiles")

    def _download_dataset(self, body: dict[str, Any]) -> str:
        thing = self._of(self.datasets, body)
        version = int(body.get("datasetVersionNumber") or thing.newest)
        files = self._of(self.datasets, body, version=version).versions[version]
        name = f"kaggle-data-sets/{body['ownerSlug']}/{body['datasetSlug']}/{version}"
        wanted = body.get("fileName")
        if wanted:
            if wanted not in files:
                raise Refused(404, "File not found")
            return self.link(f"{name}/{wanted}", files[wanted])
        return self.link(f"{name}/bundle/archive.zip", thing.bundle if thing.bundle is not None else archive(files))

    def _get_competition(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.competitions, body)
        name = body["competitionName"]
        return {"id": 2, "ref": f"https://www.kaggle.com/competitions/{name}", "title": name, **thing.meta}

    def _entered(self, body: dict[str, Any]) -> Thing:
        thing = self._of(self.competitions, body)
        if not thing.meta.get("userHasEntered", thing.extra.get("open")):
            raise Refused(403, RULES)
        return thing

    def _list_data_files(self, body: dict[str, Any]) -> dict[str, Any]:
        listed = self._of(self.competitions, body).extra.get("listed")  # some lists are shown before the rules
        files = (self._of(self.competitions, body) if listed else self._entered(body)).versions[1]
        items = [{"name": name, "totalBytes": len(content), "creationDate": CREATED} for name, content in files.items()]
        return page(items, body, "files")

    def _download_data_files(self, body: dict[str, Any]) -> str:
        thing = self._entered(body)
        content = thing.bundle if thing.bundle is not None else archive(thing.versions[1])
        return self.link(f"kaggle-competitions-data/{body['competitionName']}/bundle/archive.zip", content)

    def _get_model(self, body: dict[str, Any]) -> dict[str, Any]:
        prefix = f"{body['ownerSlug']}/{body['modelSlug']}"
        for name, thing in self.models.items():
            if name.startswith(f"{prefix}/"):
                return {"id": 3, "ref": prefix, "title": body["modelSlug"], **thing.extra.get("model", {})}
        raise Refused(404, "Not found")

    def _instance(self, name: str, thing: Thing) -> dict[str, Any]:
        _, _, framework, variation = name.split("/")
        return {
            "id": 4,
            "slug": variation,
            "framework": f"MODEL_FRAMEWORK_{framework}",
            "versionNumber": thing.newest,
            **thing.meta,
        }

    def _get_model_instance(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.models, body)
        framework = str(body.get("framework", "")).removeprefix("MODEL_FRAMEWORK_")
        name = f"{body['ownerSlug']}/{body['modelSlug']}/{framework}/{body['instanceSlug']}"
        return self._instance(name, thing)

    def _list_model_instances(self, body: dict[str, Any]) -> dict[str, Any]:
        prefix = f"{body['ownerSlug']}/{body['modelSlug']}/"
        items = [
            {**self._instance(name, thing), **thing.extra.get("instance", {})}
            for name, thing in self.models.items()
            if name.startswith(prefix)
        ]
        if not items:
            raise Refused(404, "Not found")
        return page(items, body, "instances")

    def _list_model_versions(self, body: dict[str, Any]) -> dict[str, Any]:
        versions = [{"versionNumber": number} for number in sorted(self._of(self.models, body).versions)]
        return {"versionList": {"versions": versions}}

    def _list_model_files(self, body: dict[str, Any]) -> dict[str, Any]:
        version = int(body.get("versionNumber") or 0) or None
        thing = self._of(self.models, body, version=version)
        files = thing.versions[version or thing.newest]
        items = [{"name": name, "size": len(content), "creationDate": CREATED} for name, content in files.items()]
        return page(items, body, "files", size_max=25)

    def _download_model(self, body: dict[str, Any]) -> str:
        version = int(body["versionNumber"])
        thing = self._of(self.models, body, version=version)
        if thing.extra.get("instance", {}).get("canUse") is False:
            raise Refused(403, CONSENT)
        files = thing.versions[version]
        name = f"kaggle-models-data/{body['modelSlug']}/{body['instanceSlug']}/{version}"
        wanted = body.get("path")
        if wanted:
            if wanted not in files:
                raise Refused(404, "File not found")
            return self.link(f"{name}/{wanted}", files[wanted])
        bundle = thing.bundle if thing.bundle is not None else archive(files, kind="tar.gz")
        return self.link(f"{name}/bundle/archive.tar.gz", bundle)

    def _get_kernel(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.notebooks, body)
        slug = body["kernelSlug"]
        meta = {"id": 5, "slug": slug, "title": slug, "currentVersionNumber": thing.newest, **thing.meta}
        return {"metadata": meta, "blob": {"slug": slug, "source": ""}}

    def _download_notebook(self, body: dict[str, Any]) -> str:
        thing = self._of(self.notebooks, body)
        version = int(body.get("versionNumber") or thing.newest)
        files = self._of(self.notebooks, body, version=version).versions[version]
        content = thing.bundle if thing.bundle is not None else archive(files)
        return self.link(f"kaggle-script-versions/{body['kernelSlug']}/{version}/output.zip", content)

    def _list_output(self, body: dict[str, Any]) -> dict[str, Any]:
        thing = self._of(self.notebooks, body)
        version = int(body.get("versionLabel") or thing.newest)
        items = [
            {"fileName": name, "url": self.link(f"kaggle-output/{body['kernelSlug']}/{version}/{name}", content)}
            for name, content in thing.versions[version].items()
        ]
        return page(items, body, "files")

    def _start_upload(self, body: dict[str, Any]) -> dict[str, Any]:
        self._entered(body)
        token = f"upload{len(self.uploads) + 1}"
        return {"token": token, "createUrl": f"{self.upload_base()}/{token}"}

    def upload_base(self) -> str:
        """Return where uploads go; the server knows its own port."""
        raise NotImplementedError

    def _submit(self, body: dict[str, Any]) -> dict[str, Any]:
        self._entered(body)
        if body["blobFileTokens"] not in self.uploads:
            raise Refused(400, "the file did not arrive")
        reference = 1000 + len(self.submissions)
        told = {
            "ref": reference,
            "date": CREATED,
            "description": body.get("submissionDescription", ""),
            "fileName": "submission.csv",
            "status": "PENDING",
            "teamName": "stubuser",
            "asked": 0,
        }
        self.submissions.append(told)
        return {"message": "Successfully submitted", "ref": reference}

    def _get_submission(self, body: dict[str, Any]) -> dict[str, Any]:
        for told in self.submissions:
            if told["ref"] == body["ref"]:
                return self._scored(told)
        raise Refused(404, "Not found")

    def _scored(self, told: dict[str, Any]) -> dict[str, Any]:
        """Return a submission, scored once it has been asked for often enough."""
        told["asked"] += 1
        if told["asked"] > self.pending and told["status"] == "PENDING":
            told.update(self.outcome)
        return dict(told)

    def _leaderboard(self, body: dict[str, Any]) -> dict[str, Any]:
        rows = self._of(self.competitions, body).extra.get("leaderboard", [])
        return page(rows, body, "submissions")

    def _renew(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("refreshToken") != REFRESH:
            raise Refused(401, "Unauthorized")
        return {"token": TOKEN, "expiresIn": 43200}

    def _introspect(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("token") != TOKEN:
            raise Refused(404, "Not found")
        return {"active": True, "username": USERNAME}
