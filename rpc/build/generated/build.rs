//! Makes the services of `proto/`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "protobuf")]
    {
        const NEWER: &str = "com.x.newer.Kinds";
        getty_build::configure()
            .version("com.x.Greeter", "1.0.0")
            .exception("com.x.Greeter.Check", "crate::NotFound")
            .include_file("odd.rs")
            .compile(&["proto/greeter.proto"], &["proto"])?;
        getty_build::configure()
            .version("com.x.kinds.Kinds", "2.0.0")
            .group("com.x.kinds.Kinds", "blue")
            .exception("com.x.kinds.Kinds.Find", "crate::NotFound")
            .exception("com.x.kinds.Kinds.Throw", "::getty_rpc::Throwable")
            .interface(NEWER, "org.y.kinds.Kinds")
            .version(NEWER, "2.0.0")
            .group(NEWER, "blue")
            .compile(&["proto/kinds.proto", "proto/newer.proto"], &["proto"])?;
    }
    Ok(())
}
