#!/usr/bin/env python3
"""Cuts what the tests judge by out of Google's discovery documents.

    tests/google/discovery.py WHEEL DIRECTORY

WHEEL is google-api-python-client from PyPI, in which Google publishes the documents of all its APIs. For
each API that the janitor uses, DIRECTORY gets a file with the methods and, as plain JSON Schema (2020-12),
the schemas that they reach:

    {"revision": …, "methods": {ID: {"httpMethod", "path", "query", "request", "response"}}, "$defs": {…}}

Discovery documents are no JSON Schema. What is different here, and why:
- a reference is a bare name there;
- objects that declare fields are closed, since only then a misspelt field is noticed;
- 64-bit integers are strings there, and get a pattern; so do times, durations and octets in base64, whose
  formats no validator checks unless told to;
- 32-bit integers get their bounds;
- `any`, `required`, `default` and what is for people have another meaning there, or none.
"""

import json
import os
import sys
import zipfile

METHODS = {
    "cloudresourcemanager.v1": ["cloudresourcemanager.projects.list"],
    "compute.v1": ["compute.instances.aggregatedList"],
    "dns.v1": [
        "dns.changes.create",
        "dns.changes.get",
        "dns.changes.list",
        "dns.managedZones.get",
        "dns.managedZones.list",
        "dns.projects.get",
        "dns.resourceRecordSets.create",
        "dns.resourceRecordSets.list",
    ],
    "iamcredentials.v1": ["iamcredentials.projects.serviceAccounts.generateAccessToken"],
    "pubsub.v1": [
        "pubsub.projects.topics.create",
        "pubsub.projects.topics.get",
        "pubsub.projects.topics.publish",
    ],
    "sts.v1": ["sts.token"],
}

FORMATS = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "uint32": {"minimum": 0, "maximum": 2**32 - 1},
    "int64": {"pattern": "^-?[0-9]{1,19}$"},
    "uint64": {"pattern": "^[0-9]{1,20}$"},
    "byte": {"pattern": "^[A-Za-z0-9+/_-]*={0,2}$"},
    "date-time": {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"},
    "google-datetime": {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"},
    "google-duration": {"pattern": r"^-?\d+(\.\d+)?s$"},
}

# What of a parameter of the query decides whether a value fits.
OF_PARAMETERS = ("type", "enum", "minimum", "maximum", "repeated")


def methods_below(node):
    """All methods of a document, or of a resource in it, by their ids."""
    found = {method["id"]: method for method in node.get("methods", {}).values()}
    for resource in node.get("resources", {}).values():
        found.update(methods_below(resource))
    return found


def json_schema(described):
    """A schema of a discovery document as JSON Schema."""
    if "$ref" in described:
        return {"$ref": "#/$defs/" + described["$ref"]}
    schema = {}
    if described.get("type", "any") != "any":
        schema["type"] = described["type"]
    for name in ("enum", "pattern", "minimum", "maximum"):
        if name in described:
            value = described[name]
            schema[name] = int(value) if name in ("minimum", "maximum") else value
    schema.update(FORMATS.get(described.get("format"), {}))
    if "items" in described:
        schema["items"] = json_schema(described["items"])
    if "properties" in described:
        fields = described["properties"].items()
        schema["properties"] = {name: json_schema(field) for name, field in fields}
        schema["additionalProperties"] = False
    if isinstance(described.get("additionalProperties"), dict):
        schema["additionalProperties"] = json_schema(described["additionalProperties"])
    return schema


def names_in(schema):
    """The schemas that one refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rsplit("/", 1)[-1]
        for inner in schema.values():
            yield from names_in(inner)


def cut(document, ids):
    """What is kept of a document."""
    described = methods_below(document)
    methods, needed = {}, []
    for name in ids:
        method = described[name]
        parameters = {**document["parameters"], **method.get("parameters", {})}
        query = {
            name: {key: parameter[key] for key in OF_PARAMETERS if key in parameter}
            for name, parameter in parameters.items()
            if parameter["location"] == "query"
        }
        bodies = {side: method.get(side, {}).get("$ref") for side in ("request", "response")}
        methods[name] = {
            "httpMethod": method["httpMethod"],
            "path": "/" + document["servicePath"] + method.get("flatPath", method["path"]),
            "query": query,
            **bodies,
        }
        needed += [body for body in bodies.values() if body]
    schemas = {}
    while needed:
        name = needed.pop()
        if name not in schemas:
            schemas[name] = json_schema(document["schemas"][name])
            needed += names_in(schemas[name])
    return {"revision": document["revision"], "methods": methods, "$defs": schemas}


def main(wheel, directory):
    os.makedirs(directory, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for api, ids in METHODS.items():
            path = f"googleapiclient/discovery_cache/documents/{api}.json"
            kept = cut(json.loads(archive.read(path)), ids)
            target = os.path.join(directory, f"{api}.json")
            with open(target + ".new", "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1, sort_keys=True)
            os.replace(target + ".new", target)
            print(f"{api}: revision {kept['revision']}, {len(kept['$defs'])} schemas")


if __name__ == "__main__":
    main(*sys.argv[1:])
