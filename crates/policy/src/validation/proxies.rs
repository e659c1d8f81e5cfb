//! Trusted proxies: networks, and headers by their names.

use threadline_model::{AddressHeader, HostHeader, NetworkError, TrustedProxies};

use super::scopes::read_list;
use crate::{FieldError, TrustedProxiesDocument};

pub(super) fn judge(written: Option<&TrustedProxiesDocument>, errors: &mut Vec<FieldError>) -> TrustedProxies {
    let Some(written) = written else { return TrustedProxies::default() };
    if written.networks.is_empty() {
        errors.push(FieldError::new("trusted_proxies.networks", "name at least one network, or leave the section out"));
    }
    let networks = read_list("trusted_proxies.networks", "networks", &written.networks, errors, |text| {
        text.trim().parse().map_err(|error| match error {
            NetworkError::Malformed => "is not a network such as 10.0.0.0/8, or an address",
            NetworkError::Length => "has a prefix that is longer than the address",
        })
    });
    let address = match &written.address {
        None => vec![AddressHeader::XForwardedFor],
        Some(names) => read_list("trusted_proxies.address", "headers", names, errors, |name| {
            let known = AddressHeader::ALL.into_iter().find(|header| name.trim().eq_ignore_ascii_case(header.as_str()));
            known.ok_or("is none of forwarded, x-forwarded-for, x-real-ip")
        }),
    };
    let host = read_list("trusted_proxies.host", "headers", &written.host, errors, |name| {
        let known = HostHeader::ALL.into_iter().find(|header| name.trim().eq_ignore_ascii_case(header.as_str()));
        known.ok_or("is none of forwarded, x-forwarded-host")
    });
    TrustedProxies { networks, address, host, proxy_protocol: written.proxy_protocol }
}
