// Package edge makes functions of edge in Go, in the manner of aws-lambda-go.
//
//	func main() {
//		edge.Start(func(ctx context.Context, event edge.Request) (edge.Response, error) {
//			return edge.Text(200, "Hello, "+event.Query("name")), nil
//		})
//	}
//
// Build with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared. Package initialisation and main
// run once, at deploy; every event then starts from their snapshot, in an instance of its own.
package edge

import (
	"context"
	"sync"
	"time"
	_ "unsafe" // for the link to main

	"edge.local/sdk/lambdacontext"
)

// invoke answers one event: the host's envelope in CBOR in, the value's CBOR out. Start sets it.
var invoke func(message []byte) ([]byte, error)

// Start names the handler. Unlike Lambda's it returns, and events are answered after main has.
//
// An event is decoded into T by its fields' json or cbor tags; T of any takes every event. A byte
// string fits a []byte, and a string too, so that the types of aws-lambda-go's events work.
func Start[T, R any](handler func(ctx context.Context, event T) (R, error)) {
	warm[T, R]()
	invoke = around(handler)
}

// around is a handler with its event decoded and its value encoded.
func around[T, R any](handler func(context.Context, T) (R, error)) func([]byte) ([]byte, error) {
	return func(message []byte) ([]byte, error) {
		var request envelope[T]
		if err := decoding.Unmarshal(message, &request); err != nil {
			return nil, NewError("UnmarshalTypeError", err.Error())
		}
		value, err := handler(request.Context.open(), request.Event)
		if err != nil {
			return nil, err
		}
		if done, err := streamed(value); done || err != nil {
			return null, err
		}
		return encoding.Marshal(value)
	}
}

// null is the answer of a handler whose response was streamed.
var null = []byte{0xf6}

type requestContext struct {
	FunctionName       string `cbor:"functionName"`
	FunctionVersion    string `cbor:"functionVersion"`
	InvokedFunctionArn string `cbor:"invokedFunctionArn"`
	MemoryLimitMB      int    `cbor:"memoryLimitMb"`
	RequestID          string `cbor:"requestId"`
	DeadlineMS         int64  `cbor:"deadlineMs"`
	Traceparent        string `cbor:"traceparent"`
	ClientContext      any    `cbor:"clientContext"`
}

type envelope[T any] struct {
	Event   T              `cbor:"event"`
	Context requestContext `cbor:"context"`
}

// answer runs one event to the bytes the host reads; a panic becomes an error of its own type.
func answer(message []byte) (result []byte) {
	defer func() {
		if panicked := recover(); panicked != nil {
			result = failure(panicError(panicked))
		}
	}()
	if invoke == nil {
		return failure(NewError("Runtime.NoHandler", "main did not call edge.Start"))
	}
	value, err := invoke(message)
	if err != nil {
		return failure(err)
	}
	return append([]byte("\xa1\x62ok"), value...)
}

func (request *requestContext) open() context.Context {
	lambdacontext.FunctionName = request.FunctionName
	lambdacontext.FunctionVersion = request.FunctionVersion
	lambdacontext.MemoryLimitInMB = request.MemoryLimitMB
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{
		AwsRequestID:       request.RequestID,
		InvokedFunctionArn: request.InvokedFunctionArn,
		Traceparent:        request.Traceparent,
		ClientContext:      request.ClientContext,
	})
	return &deadlineContext{Context: ctx, deadline: time.UnixMilli(request.DeadlineMS)}
}

// deadlineContext starts its timer when someone asks for it: a timer costs a third of a request, and
// the host ends the request anyway. It is never canceled, as the instance goes with the request.
type deadlineContext struct {
	context.Context
	deadline time.Time
	once     sync.Once
	timed    context.Context
}

func (c *deadlineContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *deadlineContext) timer() context.Context {
	c.once.Do(func() { c.timed, _ = context.WithDeadline(c.Context, c.deadline) })
	return c.timed
}

func (c *deadlineContext) Done() <-chan struct{} { return c.timer().Done() }

func (c *deadlineContext) Err() error { return c.timer().Err() }

// A reactor's main is not run by anyone else.
//
//go:linkname programMain main.main
func programMain()
