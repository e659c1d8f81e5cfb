//! Trusted proxies.

use super::scopes::read_list;
use crate::{AddressHeader, FieldError, TrustedProxies, TrustedProxiesDocument};

pub(super) fn judge(written: Option<&TrustedProxiesDocument>, errors: &mut Vec<FieldError>) -> TrustedProxies {
    let Some(written) = written else { return TrustedProxies::default() };
    let networks = read_list("trusted_proxies.networks", "networks", &written.networks, errors, |text| {
        text.trim().parse().map_err(|_| "is not a network such as 10.0.0.0/8, or an address")
    });
    if written.networks.is_empty() {
        errors.push(FieldError::new("trusted_proxies.networks", "name at least one network, or leave the section out"));
    }
    let address_headers = match &written.address_headers {
        Some(headers) => headers.clone(),
        None if written.proxy_protocol => Vec::new(),
        None => vec![AddressHeader::XForwardedFor],
    };
    check_repeated("trusted_proxies.address_headers", &address_headers, errors);
    check_repeated("trusted_proxies.host_headers", &written.host_headers, errors);
    TrustedProxies {
        networks,
        address_headers,
        host_headers: written.host_headers.clone(),
        proxy_protocol: written.proxy_protocol,
    }
}

fn check_repeated<T: PartialEq>(field: &str, headers: &[T], errors: &mut Vec<FieldError>) {
    for (position, header) in headers.iter().enumerate() {
        if headers[..position].contains(header) {
            errors.push(FieldError::new(format!("{field}[{position}]"), "stands twice"));
        }
    }
}
