//! A `wasi:http` guest in Rust, by the `wasi` crate: the same paths as `app.py` beside it.

use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest,
    OutgoingResponse, ResponseOutparam, Scheme,
};
use wasi::io::poll;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

const READ_BYTES: u64 = 16 * 1024;
const FOREVER_NS: u64 = 3_600_000_000_000;

struct Web;
wasi::http::proxy::export!(Web);

impl wasi::exports::http::incoming_handler::Guest for Web {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        match path.split('?').next().unwrap_or_default() {
            "/hello" => hello(out),
            "/count" => count(request, out),
            "/echo" => echo(request, out),
            "/proxy" => proxy(request, out),
            "/part" => part(out),
            "/never" => never(out),
            "/drop" => drop_all(request, out),
            "/fail" => ResponseOutparam::set(out, Err(ErrorCode::LoopDetected)),
            _ => drop(answer(out, 404, &[])),
        }
    }
}

fn answer(out: ResponseOutparam, status: u16, headers: &[(&str, &[u8])]) -> OutgoingBody {
    let response = OutgoingResponse::new(fields(headers));
    response.set_status_code(status).unwrap();
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    body
}

fn fields(pairs: &[(&str, &[u8])]) -> Fields {
    let list: Vec<_> = pairs.iter().map(|pair| (pair.0.to_string(), pair.1.to_vec())).collect();
    Fields::from_list(&list).unwrap()
}

/// All of it, as `check-write` and its pollable allow.
fn write(stream: &OutputStream, mut data: &[u8]) {
    while !data.is_empty() {
        let room = stream.check_write().unwrap() as usize;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (piece, rest) = data.split_at(room.min(data.len()));
        stream.write(piece).unwrap();
        data = rest;
    }
}

/// What has come; none at the end.
fn read(stream: &InputStream) -> Option<Vec<u8>> {
    loop {
        match stream.read(READ_BYTES) {
            Ok(data) if data.is_empty() => poll::poll(&[&stream.subscribe()]),
            Ok(data) => return Some(data),
            Err(StreamError::Closed) => return None,
            Err(error) => panic!("{error:?}"),
        };
    }
}

/// From one to the other, then the trailers.
fn pass_on(incoming: IncomingBody, outgoing: OutgoingBody) {
    let output = outgoing.write().unwrap();
    let input = incoming.stream().unwrap();
    while let Some(piece) = read(&input) {
        write(&output, &piece);
    }
    drop(input);
    drop(output);
    let trailers = IncomingBody::finish(incoming);
    trailers.subscribe().block();
    let found = trailers.get().unwrap().unwrap().unwrap();
    // What came is not to be changed, and may be sent all the same.
    OutgoingBody::finish(outgoing, found.map(|fields| fields.clone())).unwrap();
}

fn hello(out: ResponseOutparam) {
    let body = answer(out, 201, &[("x-kind", b"hello"), ("set-cookie", b"a=1")]);
    write(&body.write().unwrap(), b"hello from rust");
    OutgoingBody::finish(body, None).unwrap();
}

fn count(request: IncomingRequest, out: ResponseOutparam) {
    let incoming = request.consume().unwrap();
    let input = incoming.stream().unwrap();
    let mut size = 0;
    while let Some(piece) = read(&input) {
        size += piece.len();
    }
    let body = answer(out, 200, &[]);
    write(&body.write().unwrap(), size.to_string().as_bytes());
    OutgoingBody::finish(body, None).unwrap();
}

fn echo(request: IncomingRequest, out: ResponseOutparam) {
    pass_on(request.consume().unwrap(), answer(out, 200, &[]));
}

fn proxy(request: IncomingRequest, out: ResponseOutparam) {
    let to = request.headers().get(&"x-to".to_string()).remove(0);
    let asked = OutgoingRequest::new(fields(&[("x-guest", b"rust")]));
    asked.set_method(&Method::Post).unwrap();
    asked.set_scheme(Some(&Scheme::Http)).unwrap();
    asked.set_authority(Some(&String::from_utf8(to).unwrap())).unwrap();
    asked.set_path_with_query(Some("/asked")).unwrap();
    let sent = asked.body().unwrap();
    let future = outgoing_handler::handle(asked, None).unwrap();
    pass_on(request.consume().unwrap(), sent);
    future.subscribe().block();
    match future.get().unwrap().unwrap() {
        Ok(response) => {
            let kind = response.headers().get(&"x-origin".to_string()).remove(0);
            let body = answer(out, response.status(), &[("x-origin", &kind)]);
            pass_on(response.consume().unwrap(), body);
        }
        Err(error) => {
            let kind = format!("{error:?}");
            let body = answer(out, 502, &[("x-error", kind.as_bytes())]);
            OutgoingBody::finish(body, None).unwrap();
        }
    }
}

fn part(out: ResponseOutparam) {
    let body = answer(out, 200, &[]);
    write(&body.write().unwrap(), b"a part");
}

fn never(out: ResponseOutparam) {
    let body = answer(out, 200, &[]);
    write(&body.write().unwrap(), b"a part");
    monotonic_clock::subscribe_duration(FOREVER_NS).block();
}

fn drop_all(request: IncomingRequest, out: ResponseOutparam) {
    let incoming = request.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let waiting = stream.subscribe();
    drop(incoming);
    drop(stream);
    drop(waiting);
    drop(request);
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().unwrap();
    let output = body.write().unwrap();
    let ready = output.subscribe();
    drop(response);
    drop(body);
    drop(ready);
    drop(output);
    let body = answer(out, 200, &[]);
    let output = body.write().unwrap();
    let ready = output.subscribe();
    write(&output, b"dropped");
    drop(output);
    poll::poll(&[&ready]);
    OutgoingBody::finish(body, None).unwrap();
}
