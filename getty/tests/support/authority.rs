//! An authority of the test's own, and what it certifies.

use getty::transport::{Identity, Roots};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Own {
    pub(crate) der: Vec<u8>,
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("the test's authority")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::from_pem(self.pem()).unwrap()
    }

    /// For a host or an IP address.
    pub(crate) fn certify(&self, name: &str) -> Own {
        self.certify_with(name, |_| {})
    }

    pub(crate) fn expired(&self, name: &str) -> Own {
        self.certify_with(name, |params| params.not_after = date_time_ymd(2001, 2, 3))
    }

    fn certify_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Own {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Own { der: certificate.der().to_vec(), chain: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Own {
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(&self.chain, &self.key).unwrap()
    }
}
