package edge

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

const stackDepthMax = 32

// Error is an error in Lambda's shape. Any other error a handler returns becomes one of its own
// type's name, without a stack, as Go's errors keep none.
type Error struct {
	Type    string   `cbor:"errorType"`
	Message string   `cbor:"errorMessage"`
	Stack   []string `cbor:"stackTrace"`
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// NewError is an error of a type that callers may match, with the stack of where it was made.
func NewError(kind, message string) error {
	return &Error{kind, message, stack(1)}
}

// stack is the callers above the one that asks, skipping some more, innermost first.
func stack(skip int) []string {
	var counters [stackDepthMax]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(skip+2, counters[:])])
	lines := []string{}
	for {
		frame, more := frames.Next()
		if frame.Function == "edge.local/sdk.answer" || frame.Function == "" {
			return lines
		}
		lines = append(lines, fmt.Sprintf("%s (%s:%d)", frame.Function, frame.File, frame.Line))
		if !more {
			return lines
		}
	}
}

func panicError(panicked any) error {
	lines := stack(0)
	for len(lines) > 0 && (strings.HasPrefix(lines[0], "edge.local/sdk.") || strings.HasPrefix(lines[0], "runtime.")) {
		lines = lines[1:]
	}
	return &Error{typeName(panicked), fmt.Sprint(panicked), lines}
}

func typeName(value any) string {
	kind := reflect.TypeOf(value)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Name()
}

// failure is the answer that says what went wrong.
func failure(err error) []byte {
	document, ok := err.(*Error)
	if !ok {
		document = &Error{typeName(err), err.Error(), []string{}}
	}
	document.Message = strings.ToValidUTF8(document.Message, "\ufffd")
	return must(encoding.Marshal(map[string]*Error{"error": document}))
}
