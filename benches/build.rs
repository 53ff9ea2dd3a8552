//! Compiles the calls of the C peers when the feature `c-peers` asks for them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "c-peers")]
    c_peers();
}

#[cfg(feature = "c-peers")]
fn c_peers() {
    println!("cargo::rerun-if-changed=c");
    let mut build = cc::Build::new();
    build.files(["c/sofia.c", "c/osip.c", "c/freerdp.c", "c/srtp.c"]);
    for library in ["sofia-sip-ua", "libosip2", "freerdp2", "libsrtp2"] {
        // Prints what the linker needs.
        let found = pkg_config::probe_library(library).unwrap_or_else(|error| panic!("{error}"));
        build.includes(found.include_paths);
    }
    build.compile("peers");
}
