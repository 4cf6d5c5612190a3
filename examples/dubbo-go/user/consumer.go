package user

import (
	"context"
	"time"

	"dubbo.apache.org/dubbo-go/v3/common/constant"
	hessian "github.com/apache/dubbo-go-hessian2"
)

// Consumer is the stub that dubbo-go fills. The tag is the name in Java; two fields may share one.
//
// The Go types decide the Java signature that is sent: int32 is int, int64 is long, []byte is
// byte[], time.Time is java.util.Date, a map is java.util.Map, and only an []any is a
// java.util.List ([]string would be String[]).
type Consumer struct {
	Greet        func(ctx context.Context, name string) (string, error)                 `dubbo:"greet"`
	GreetAny     func(ctx context.Context, name any) (string, error)                    `dubbo:"greet"`
	Next         func(ctx context.Context, n int32) (int32, error)                      `dubbo:"next"`
	Negate       func(ctx context.Context, n int64) (int64, error)                      `dubbo:"negate"`
	Half         func(ctx context.Context, x float64) (float64, error)                  `dubbo:"half"`
	Not          func(ctx context.Context, b bool) (bool, error)                        `dubbo:"not"`
	ReverseBytes func(ctx context.Context, data []byte) ([]byte, error)                 `dubbo:"reverseBytes"`
	NextDay      func(ctx context.Context, at time.Time) (time.Time, error)             `dubbo:"nextDay"`
	Reverse      func(ctx context.Context, args []any) ([]any, error)                   `dubbo:"reverse"` // args: see Arguments
	Birthday     func(ctx context.Context, user *User) (*User, error)                   `dubbo:"birthday"`
	SortByAge    func(ctx context.Context, args []any) ([]any, error)                   `dubbo:"sortByAge"` // args: see Arguments
	OlderThan    func(ctx context.Context, m map[any]any, a int32) (map[any]any, error) `dubbo:"olderThan"`
	Version      func(ctx context.Context) (string, error)                              `dubbo:"version"`
	Remember     func(ctx context.Context, note string) (any, error)                    `dubbo:"remember"` // void: a result is asked for all the same
	Notes        func(ctx context.Context) ([]any, error)                               `dubbo:"notes"`
	Log          func(ctx context.Context, note string) error                           `dubbo:"log"` // one way: see OneWay
	Find         func(ctx context.Context, id int64) (*User, error)                     `dubbo:"find"`
	Slow         func(ctx context.Context, millis int32) (string, error)                `dubbo:"slow"`
	Large        func(ctx context.Context, size int32) (string, error)                  `dubbo:"large"`
}

// RegisterConsumerClasses makes the service's classes known to this process as a consumer.
func RegisterConsumerClasses() {
	registerClasses()
	hessian.RegisterPOJO(&NotFound{})
}

// OneWay makes the calls under it requests that nobody answers.
func OneWay(ctx context.Context) context.Context {
	return context.WithValue(ctx, constant.AttachmentKey, map[string]any{constant.AsyncKey: "true"})
}

// Arguments wraps a single List argument: dubbo-go takes an []any that is a method's only argument
// for the list of its arguments.
func Arguments(list []any) []any { return []any{list} }

// NullString is a null whose declared Java type is String. A plain nil is sent as type V.
type NullString struct{}

// JavaClassName makes this a hessian.Param.
func (*NullString) JavaClassName() string { return "java.lang.String" }

// JavaParamName is the Java type in the signature.
func (*NullString) JavaParamName() string { return "java.lang.String" }
