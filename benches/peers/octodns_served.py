"""octoDNS with a zone file on the side of the provider, too.

`ZoneFileProvider` of octodns-bind takes its own file for absent when it is the target of a sync, so
every record would count as new. This one reads it.
"""

from octodns_bind import ZoneFileProvider


class ServedZoneFile(ZoneFileProvider):
    def populate(self, zone, target=False, lenient=False):
        return super().populate(zone, target=False, lenient=lenient)
