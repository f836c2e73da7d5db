//! Instances of Compute Engine, with all that Compute Engine says of one.

use serde_json::{Value, json};

const COMPUTE: &str = "https://www.googleapis.com/compute/v1";

/// An instance: running, in `us-east1-b`, with an internal address, unless told otherwise.
#[derive(Clone, Debug)]
pub struct Instance {
    zone: String,
    value: Value,
}

impl Instance {
    /// An instance of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            zone: "us-east1-b".to_owned(),
            value: json!({
                "kind": "compute#instance",
                "name": name,
                "creationTimestamp": "2026-01-02T03:04:05.678-07:00",
                "description": "",
                "status": "RUNNING",
                "tags": {"fingerprint": "42WmSpB8rSM="},
                "metadata": {"kind": "compute#metadata", "fingerprint": "dGVzdHM="},
                "labelFingerprint": "42WmSpB8rSM=",
                "fingerprint": "q1w2e3r4t5Y=",
                "canIpForward": false,
                "startRestricted": false,
                "deletionProtection": false,
                "cpuPlatform": "Intel Broadwell",
                "lastStartTimestamp": "2026-01-02T03:04:12.345-07:00",
                "displayDevice": {"enableDisplay": false},
                "reservationAffinity": {"consumeReservationType": "ANY_RESERVATION"},
                "confidentialInstanceConfig": {"enableConfidentialCompute": false},
                "keyRevocationActionType": "NONE",
                "scheduling": {
                    "onHostMaintenance": "MIGRATE",
                    "automaticRestart": true,
                    "preemptible": false,
                    "provisioningModel": "STANDARD"
                },
                "shieldedInstanceConfig": {
                    "enableSecureBoot": false,
                    "enableVtpm": true,
                    "enableIntegrityMonitoring": true
                },
                "shieldedInstanceIntegrityPolicy": {"updateAutoLearnPolicy": true},
                "serviceAccounts": [{
                    "email": "123456789012-compute@developer.gserviceaccount.com",
                    "scopes": [
                        "https://www.googleapis.com/auth/devstorage.read_only",
                        "https://www.googleapis.com/auth/logging.write",
                        "https://www.googleapis.com/auth/monitoring.write",
                        "https://www.googleapis.com/auth/servicecontrol",
                        "https://www.googleapis.com/auth/service.management.readonly",
                        "https://www.googleapis.com/auth/trace.append"
                    ]
                }],
                "networkInterfaces": [{
                    "kind": "compute#networkInterface",
                    "name": "nic0",
                    "fingerprint": "bmV0d29yaw==",
                    "stackType": "IPV4_ONLY"
                }],
                "disks": [{
                    "kind": "compute#attachedDisk",
                    "type": "PERSISTENT",
                    "mode": "READ_WRITE",
                    "deviceName": name,
                    "index": 0,
                    "boot": true,
                    "autoDelete": true,
                    "interface": "SCSI",
                    "diskSizeGb": "20",
                    "architecture": "X86_64",
                    "licenses": [
                        format!("{COMPUTE}/projects/debian-cloud/global/licenses/debian-12-bookworm")
                    ],
                    "guestOsFeatures": [
                        {"type": "UEFI_COMPATIBLE"},
                        {"type": "VIRTIO_SCSI_MULTIQUEUE"},
                        {"type": "GVNIC"},
                        {"type": "SEV_CAPABLE"}
                    ],
                    "shieldedInstanceInitialState": {}
                }],
                "resourceStatus": {"scheduling": {}}
            }),
        }
    }

    /// In this zone of Compute Engine.
    #[must_use]
    pub fn in_zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// With an external IPv4 address.
    #[must_use]
    pub fn external(mut self, address: &str) -> Self {
        self.nic()["accessConfigs"] = json!([{
            "kind": "compute#accessConfig",
            "type": "ONE_TO_ONE_NAT",
            "name": "External NAT",
            "natIP": address,
            "networkTier": "PREMIUM"
        }]);
        self
    }

    /// With this internal IPv4 address.
    #[must_use]
    pub fn internal(mut self, address: &str) -> Self {
        self.nic()["networkIP"] = json!(address);
        self
    }

    /// With an external IPv6 address.
    #[must_use]
    pub fn external_ipv6(mut self, address: &str) -> Self {
        self.nic()["stackType"] = json!("IPV4_IPV6");
        self.nic()["ipv6AccessType"] = json!("EXTERNAL");
        self.nic()["ipv6AccessConfigs"] = json!([{
            "kind": "compute#accessConfig",
            "type": "DIRECT_IPV6",
            "name": "external-ipv6",
            "externalIpv6": address,
            "externalIpv6PrefixLength": 96,
            "networkTier": "PREMIUM"
        }]);
        self
    }

    /// With an internal IPv6 address.
    #[must_use]
    pub fn internal_ipv6(mut self, address: &str) -> Self {
        self.nic()["stackType"] = json!("IPV4_IPV6");
        self.nic()["ipv6AccessType"] = json!("INTERNAL");
        self.nic()["ipv6Address"] = json!(address);
        self.nic()["internalIpv6PrefixLength"] = json!(96);
        self
    }

    /// `TERMINATED`, `STOPPING`.
    #[must_use]
    pub fn that_is(self, status: &str) -> Self {
        self.with("status", json!(status))
    }

    /// Made at this time (RFC 3339).
    #[must_use]
    pub fn created(self, time: &str) -> Self {
        self.with("creationTimestamp", json!(time))
    }

    /// With a network tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        push(&mut self.value["tags"]["items"], json!(tag));
        self
    }

    /// With a label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.value["labels"][key] = json!(value);
        self
    }

    /// With an item of metadata.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        let item = json!({"key": key, "value": value});
        push(&mut self.value["metadata"]["items"], item);
        self
    }

    /// With a field as it is given, in the place of what there was.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.value[field] = value;
        self
    }

    /// With whatever `edit` makes of it.
    #[must_use]
    pub fn edited(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        edit(&mut self.value);
        self
    }

    pub(crate) fn name(&self) -> &str {
        self.value["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn zone(&self) -> &str {
        &self.zone
    }

    pub(crate) const fn value(&self) -> &Value {
        &self.value
    }

    /// In `project`, as the instance of this number.
    pub(crate) fn placed(mut self, project: &str, number: u32) -> Self {
        let name = self.name().to_owned();
        let zone = format!("{COMPUTE}/projects/{project}/zones/{}", self.zone);
        let region = self.zone.rsplit_once('-').map_or("", |(region, _)| region);
        let network = format!("{COMPUTE}/projects/{project}/global/networks/default");
        let subnetwork =
            format!("{COMPUTE}/projects/{project}/regions/{region}/subnetworks/default");
        let [_, second, third, fourth] = number.to_be_bytes();
        let internal = format!("10.{}.{third}.{fourth}", 128 | second);

        let value = &mut self.value;
        value["id"] = json!((7_000_000_000_000_000_000 + u64::from(number)).to_string());
        value["selfLink"] = json!(format!("{zone}/instances/{name}"));
        value["machineType"] = json!(format!("{zone}/machineTypes/e2-small"));
        value["disks"][0]["source"] = json!(format!("{zone}/disks/{name}"));
        value["zone"] = json!(zone);
        if let Some(nic) = value["networkInterfaces"].get_mut(0) {
            or(&mut nic["network"], json!(network));
            or(&mut nic["subnetwork"], json!(subnetwork));
            or(&mut nic["networkIP"], json!(internal));
        }
        self
    }

    fn nic(&mut self) -> &mut Value {
        &mut self.value["networkInterfaces"][0]
    }
}

fn or(value: &mut Value, default: Value) {
    if value.is_null() {
        *value = default;
    }
}

fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}
