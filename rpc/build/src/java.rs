//! Owns the names that Java gives to what a `.proto` file declares. Classes: the rules of protoc's Java generator (3.21 and later,
//! `syntax`, not editions). Services and methods: those of Dubbo's compiler (3.3).

use prost_types::{DescriptorProto, FileDescriptorProto};

/// The Java names of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JavaNames {
    /// What stands before a message: `com.x.`, or `com.x.Outer$` where messages lie in the file's class.
    class_prefix: String,
    /// What stands before a service: `com.x.`
    interface_prefix: String,
}

impl JavaNames {
    pub(crate) fn of(file: &FileDescriptorProto) -> Self {
        let options = file.options.clone().unwrap_or_default();
        let package = dotted(options.java_package.as_deref().unwrap_or(file.package()));
        let class_prefix = if options.java_multiple_files() {
            package
        } else {
            let outer = options.java_outer_classname.clone().unwrap_or_else(|| default_outer_class(file));
            format!("{package}{outer}$")
        };
        // Dubbo's compiler takes an empty java_package for none; protoc takes it for Java's package without a name.
        let java_package = options.java_package.as_deref().filter(|package| !package.is_empty());
        Self { class_prefix, interface_prefix: dotted(java_package.unwrap_or(file.package())) }
    }

    /// The descriptor of the class of a message, which is named without its package: `Outer.Inner`.
    pub(crate) fn descriptor(&self, message: &str) -> String {
        let prefix = self.class_prefix.replace('.', "/");
        format!("L{prefix}{};", message.replace('.', "$"))
    }

    /// The interface of a service.
    pub(crate) fn interface(&self, service: &str) -> String {
        format!("{}{service}", self.interface_prefix)
    }
}

/// The method of an rpc.
pub(crate) fn method(rpc: &str) -> String {
    let mut letters = rpc.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether a message, at any depth, an enum beside one or in one, or a service has that name.
pub(crate) fn declares(file: &FileDescriptorProto, name: &str) -> bool {
    fn message_declares(message: &DescriptorProto, name: &str) -> bool {
        message.name() == name
            || message.nested_type.iter().any(|nested| message_declares(nested, name))
            || message.enum_type.iter().any(|one| one.name() == name)
    }
    file.enum_type.iter().any(|one| one.name() == name)
        || file.service.iter().any(|one| one.name() == name)
        || file.message_type.iter().any(|message| message_declares(message, name))
}

/// The file's class where no option names it.
fn default_outer_class(file: &FileDescriptorProto) -> String {
    let base = file.name().rsplit('/').next().unwrap_or_default();
    let base = base.strip_suffix(".protodevel").or_else(|| base.strip_suffix(".proto")).unwrap_or(base);
    let name = camel_case(base);
    if declares(file, &name) { name + "OuterClass" } else { name }
}

/// `foo_bar2baz` as `FooBar2Baz`: a letter is a capital at the start, after a digit and after what is neither, which goes.
fn camel_case(name: &str) -> String {
    let mut capital = true;
    let mut camel = String::new();
    for letter in name.chars() {
        match letter {
            'a'..='z' if capital => camel.push(letter.to_ascii_uppercase()),
            'a'..='z' | 'A'..='Z' | '0'..='9' => camel.push(letter),
            _ => {}
        }
        capital = !letter.is_ascii_alphabetic();
    }
    camel
}

fn dotted(package: &str) -> String {
    if package.is_empty() { String::new() } else { format!("{package}.") }
}

#[cfg(test)]
mod tests {
    use prost_types::{EnumDescriptorProto, FileOptions, ServiceDescriptorProto};

    use super::*;

    fn file(name: &str, package: &str, options: FileOptions) -> FileDescriptorProto {
        let message = DescriptorProto { name: Some("Msg".into()), ..Default::default() };
        FileDescriptorProto {
            name: Some(name.into()),
            package: Some(package.into()).filter(|package: &String| !package.is_empty()),
            message_type: vec![message],
            options: Some(options),
            ..Default::default()
        }
    }

    /// What `protoc --java_out` 3.21 makes of a file of that name.
    #[test]
    fn a_file_name_becomes_the_class_that_protoc_makes_of_it() {
        for (name, class) in [
            ("greeter", "Greeter"),
            ("foo_bar", "FooBar"),
            ("foo-bar", "FooBar"),
            ("foo.bar", "FooBar"),
            ("fooBar", "FooBar"),
            ("FooBar", "FooBar"),
            ("foo2bar", "Foo2Bar"),
            ("foo_2bar", "Foo2Bar"),
            ("2foo", "2Foo"),
            ("_foo", "Foo"),
            ("foo_", "Foo"),
            ("FOO_BAR", "FOOBAR"),
            ("hello__world", "HelloWorld"),
        ] {
            for path in [format!("{name}.proto"), format!("a/b_c/{name}.proto")] {
                assert_eq!(default_outer_class(&file(&path, "", FileOptions::default())), class, "{path}");
            }
        }
        assert_eq!(default_outer_class(&file("x.protodevel", "", FileOptions::default())), "X");
        assert_eq!(default_outer_class(&file("plain", "", FileOptions::default())), "Plain");
    }

    #[test]
    fn every_combination_of_package_and_options_gives_the_class_of_protoc() {
        // package, java_package, java_outer_classname, java_multiple_files, class of message A.B
        let cases = [
            ("", None, None, false, "LGreeterFile$A$B;"),
            ("", None, None, true, "LA$B;"),
            ("", None, Some("Outer"), false, "LOuter$A$B;"),
            ("", None, Some("Outer"), true, "LA$B;"),
            ("", Some("org.y"), None, false, "Lorg/y/GreeterFile$A$B;"),
            ("", Some("org.y"), None, true, "Lorg/y/A$B;"),
            ("", Some("org.y"), Some("Outer"), false, "Lorg/y/Outer$A$B;"),
            ("", Some("org.y"), Some("Outer"), true, "Lorg/y/A$B;"),
            ("com.x", None, None, false, "Lcom/x/GreeterFile$A$B;"),
            ("com.x", None, None, true, "Lcom/x/A$B;"),
            ("com.x", None, Some("Outer"), false, "Lcom/x/Outer$A$B;"),
            ("com.x", None, Some("Outer"), true, "Lcom/x/A$B;"),
            ("com.x", Some("org.y"), None, false, "Lorg/y/GreeterFile$A$B;"),
            ("com.x", Some("org.y"), None, true, "Lorg/y/A$B;"),
            ("com.x", Some("org.y"), Some("Outer"), false, "Lorg/y/Outer$A$B;"),
            ("com.x", Some("org.y"), Some("Outer"), true, "Lorg/y/A$B;"),
            ("com.x", Some(""), None, false, "LGreeterFile$A$B;"),
            ("com.x", Some(""), None, true, "LA$B;"),
        ];
        for (package, java_package, outer, multiple, class) in cases {
            let options = FileOptions {
                java_package: java_package.map(str::to_owned),
                java_outer_classname: outer.map(str::to_owned),
                java_multiple_files: Some(multiple),
                ..Default::default()
            };
            let names = JavaNames::of(&file("greeter_file.proto", package, options));
            assert_eq!(names.descriptor("A.B"), class, "{package:?} {java_package:?} {outer:?} {multiple}");
        }
        assert_eq!(
            JavaNames::of(&file("m.proto", "com.x", FileOptions::default())).descriptor("A"),
            "Lcom/x/M$A;",
            "java_multiple_files is false by default"
        );
    }

    #[test]
    fn a_class_of_a_file_that_is_declared_in_it_gets_a_suffix() {
        let plain = || file("greeter.proto", "com.x", FileOptions::default());
        let named = |name: &str| DescriptorProto { name: Some(name.into()), ..Default::default() };
        let mut message = plain();
        message.message_type.push(named("Greeter"));
        let mut nested = plain();
        nested.message_type[0].nested_type.push(named("Greeter"));
        let mut one_enum = plain();
        one_enum.enum_type.push(EnumDescriptorProto { name: Some("Greeter".into()), ..Default::default() });
        let mut nested_enum = plain();
        nested_enum.message_type[0].enum_type = one_enum.enum_type.clone();
        let mut service = plain();
        service.service.push(ServiceDescriptorProto { name: Some("Greeter".into()), ..Default::default() });
        for file in [message, nested, one_enum, nested_enum, service] {
            assert_eq!(JavaNames::of(&file).descriptor("Msg"), "Lcom/x/GreeterOuterClass$Msg;");
        }
        let mut other_case = plain();
        other_case.message_type.push(named("GREETER"));
        assert_eq!(JavaNames::of(&other_case).descriptor("Msg"), "Lcom/x/Greeter$Msg;");
    }

    #[test]
    fn a_service_is_named_by_the_java_package_or_else_by_the_package() {
        for (package, java_package, interface) in [
            ("", None, "Greeter"),
            ("com.x", None, "com.x.Greeter"),
            ("com.x", Some("org.y"), "org.y.Greeter"),
            ("com.x", Some(""), "com.x.Greeter"),
            ("", Some("org.y"), "org.y.Greeter"),
        ] {
            let options = FileOptions { java_package: java_package.map(str::to_owned), ..Default::default() };
            let names = JavaNames::of(&file("m.proto", package, options));
            assert_eq!(names.interface("Greeter"), interface, "{package:?} {java_package:?}");
        }
    }

    #[test]
    fn a_method_is_the_rpc_with_a_small_first_letter() {
        for (rpc, java) in
            [("SayHello", "sayHello"), ("GetURL", "getURL"), ("URL", "uRL"), ("get_it", "get_it")]
        {
            assert_eq!(method(rpc), java);
        }
    }
}
