//! A server that has every service and method of the vectors.

use std::sync::mpsc;

use getty_rpc::{Context, Invocation, Method, Server, Service, ServiceInfo, derive::Plain, hessian2::Value};

use super::{FakePipe, PipeEnd, Pipes, Row, Serving, over_pipes, parameters};

/// A service that takes any arguments, tells the test of them, and gives them back.
pub(crate) struct Anything {
    info: &'static ServiceInfo,
    seen: mpsc::Sender<Seen>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) method: &'static Method,
    pub(crate) arguments: Vec<Value>,
    pub(crate) attachments: Vec<(String, String)>,
}

macro_rules! serve_anything {
    ($self:ident, $method:ident, $invocation:ident: $($count:literal => ($($value:ident)*),)*) => {{
        let (seen, method) = ($self.seen.clone(), &$self.info.methods[$method]);
        match method.parameters {
            $($count => $invocation.serve::<($(any!($value),)*), Plain<Value>, _, _>(move |($($value,)*)| async move {
                let attachments = Context::current().unwrap().attachments().clone();
                let attachments = attachments.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
                let arguments = vec![$($value),*];
                seen.send(Seen { method, arguments: arguments.clone(), attachments }).unwrap();
                Value::list(arguments)
            }),)*
            more => panic!("{more} parameters"),
        }
    }};
}

macro_rules! any {
    ($value:ident) => {
        Value
    };
}

impl Service for Anything {
    fn info(&self) -> &'static ServiceInfo {
        self.info
    }

    fn invoke(&self, method: usize, invocation: Invocation<'_>) {
        serve_anything!(self, method, invocation:
            0 => (), 1 => (a), 2 => (a b), 3 => (a b c), 4 => (a b c d), 5 => (a b c d e), 6 => (a b c d e f),
            7 => (a b c d e f g), 8 => (a b c d e f g h), 9 => (a b c d e f g h i),
        );
    }
}

/// A server that has every service and method that the rows ask for.
pub(crate) fn everything(
    rows: &[Row],
    configure: impl FnOnce(Server<Pipes>) -> Server<Pipes>,
) -> (Serving, FakePipe<PipeEnd>, mpsc::Receiver<Seen>) {
    let (seen, received) = mpsc::channel();
    let asked: Vec<_> = rows.iter().filter_map(Row::call).collect();
    let serving = over_pipes(|mut server| {
        let mut targets: Vec<_> = asked.iter().map(|a| (&a.interface, &a.version, &a.group)).collect();
        targets.sort_unstable();
        targets.dedup();
        for (interface, version, group) in targets {
            let of_it =
                asked.iter().filter(|a| (&a.interface, &a.version, &a.group) == (interface, version, group));
            let mut methods: Vec<(&str, &str)> = of_it.map(|a| (&*a.method, &*a.descriptor)).collect();
            methods.sort_unstable();
            methods.dedup();
            let methods = methods.into_iter().map(|(name, descriptor)| {
                let descriptor: &str = descriptor.to_owned().leak();
                Method::new(name.to_owned().leak(), descriptor, parameters(descriptor))
            });
            let methods = Vec::leak(methods.collect());
            let info = Box::leak(Box::new(ServiceInfo::new(interface.clone().leak(), "", "", methods)));
            server = server.service_as(Anything { info, seen: seen.clone() }, version, group);
        }
        configure(server)
    });
    (serving.0, serving.1, received)
}
