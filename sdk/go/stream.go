package edge

import (
	"bytes"
	"encoding/json"
	"io"
)

// pieceBytes is how much of a body is sent at once.
const pieceBytes = 32 << 10

// StreamingResponse is an answer that leaves as its body is read, in the shape of aws-lambda-go's
// LambdaFunctionURLStreamingResponse. A body that is an io.Closer is closed.
//
// A handler may return one, or any io.Reader, or write to what StartResponse gives.
type StreamingResponse struct {
	StatusCode int
	Headers    map[string]string
	Cookies    []string
	Body       io.Reader
}

// ResponseWriter writes a response that leaves while it is written.
type ResponseWriter struct{}

// StartResponse sends a head now, and its body as a first piece. What is written to the writer
// follows, until the handler returns; an error that it returns cuts the response off.
func StartResponse(head Response) (*ResponseWriter, error) {
	err := start(prelude{head.StatusCode, head.Headers, head.Cookies})
	if err != nil || len(head.Body) == 0 {
		return &ResponseWriter{}, err
	}
	_, err = (&ResponseWriter{}).Write(head.Body)
	return &ResponseWriter{}, err
}

// Write sends a piece, and returns when the host has it. A client that reads slowly is waited for.
func (*ResponseWriter) Write(piece []byte) (int, error) {
	call := struct {
		Op   string `cbor:"op"`
		Data []byte `cbor:"data"`
	}{"response.write", piece}
	if err := Call(call, new(any)); err != nil {
		return 0, err
	}
	return len(piece), nil
}

// prelude is how a streamed answer begins, also in front of the bodies of aws-lambda-go.
type prelude struct {
	StatusCode int               `cbor:"statusCode,omitempty" json:"statusCode"`
	Headers    map[string]string `cbor:"headers,omitempty" json:"headers"`
	Cookies    []string          `cbor:"cookies,omitempty" json:"cookies"`
}

func start(head prelude) error {
	call := struct {
		prelude
		Op string `cbor:"op"`
	}{head, "response.start"}
	return Call(call, new(any))
}

// streamed sends what a handler returned if it is to be read piece by piece; whether it was.
func streamed(value any) (bool, error) {
	switch answer := value.(type) {
	case *StreamingResponse:
		if answer == nil {
			return false, nil
		}
		return true, send(answer)
	case StreamingResponse:
		return true, send(&answer)
	case io.Reader:
		return true, copyOut(answer)
	}
	return false, nil
}

func send(answer *StreamingResponse) error {
	if warming {
		return nil
	}
	if err := start(prelude{answer.StatusCode, answer.Headers, answer.Cookies}); err != nil {
		return err
	}
	if answer.Body == nil {
		return nil
	}
	return copyOut(answer.Body)
}

// copyOut sends a reader to its end. One of aws-lambda-go's begins with a prelude, and says so.
func copyOut(body io.Reader) error {
	if warming {
		return nil
	}
	if closer, ok := body.(io.Closer); ok {
		defer closer.Close()
	}
	typed, ok := body.(interface{ ContentType() string })
	if ok && typed.ContentType() == "application/vnd.awslambda.http-integration-response" {
		if err := startWith(body); err != nil {
			return err
		}
	}
	_, err := io.CopyBuffer(&ResponseWriter{}, onlyReader{body}, make([]byte, pieceBytes))
	return err
}

// onlyReader hides a WriterTo, which might write all of it at once.
type onlyReader struct{ io.Reader }

// preludeEnd follows a prelude.
var preludeEnd = make([]byte, 8)

// startWith reads the prelude of a body, and starts the response with it.
func startWith(body io.Reader) error {
	read, piece := []byte(nil), make([]byte, pieceBytes)
	for {
		count, err := body.Read(piece)
		read = append(read, piece[:count]...)
		if said, rest, found := bytes.Cut(read, preludeEnd); found {
			var head prelude
			if err := json.Unmarshal(said, &head); err != nil {
				return err
			}
			if err := start(head); err != nil || len(rest) == 0 {
				return err
			}
			_, err := (&ResponseWriter{}).Write(rest)
			return err
		}
		if err != nil {
			return io.ErrUnexpectedEOF
		}
	}
}
