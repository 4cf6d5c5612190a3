//! Makes the service of the `protobuf` example of its `.proto` file.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "protobuf")]
    getty_build::configure()
        .exception("com.example.greeter.Greeter.SayHello", "super::Nobody")
        .compile(&["proto/greeter.proto"], &["proto"])?;
    Ok(())
}
