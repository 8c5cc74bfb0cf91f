//! semver: which of some versions a requirement takes, newest first, by cargo's own rules.
//!
//!     curl -d $'1.2.3\n1.9.0\n2.0.0' 'localhost:8080/semver?requirement=^1.2'

use edge::{Context, Error, Event, Value};
use semver::{Version, VersionReq};

fn select(event: Event, _: &Context) -> Result<Value, Error> {
    let requirement = VersionReq::parse(event.query("requirement").unwrap_or("*"))?;
    let body = event.body();
    let mut versions = std::str::from_utf8(&body)?
        .split_whitespace()
        .map(Version::parse)
        .collect::<Result<Vec<_>, _>>()?;
    versions.retain(|version| requirement.matches(version));
    versions.sort();
    let newest_first: Vec<Value> =
        versions.iter().rev().map(|version| version.to_string().into()).collect();
    Ok(Value::map().with("requirement", requirement.to_string()).with("versions", newest_first))
}

edge::handler!(select);
