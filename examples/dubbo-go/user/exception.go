package user

import (
	"fmt"

	"github.com/apache/dubbo-go-hessian2/java_exception"
)

const notFoundClass = "com.example.user.UserNotFoundException"

// The Java exception UserNotFoundException needs two Go types, one for each side, because dubbo-go
// asks for opposite things:
//
//   - a provider sends an error with its own class and fields only if it is a Throwabler, and turns
//     every other error into a java.lang.Throwable with the text;
//   - a consumer reduces every Throwabler to a GenericException (class and text, no own fields), and
//     hands out any other registered error as it came.
//
// A process can register one type for a class, so it is a provider or a consumer of this exception.

// Thrown is UserNotFoundException as a provider throws it. The first four fields are Java's
// Throwable; without them a Go consumer that does not know the class would lose the text.
type Thrown struct {
	DetailMessage        string
	Cause                java_exception.Throwabler
	StackTrace           []java_exception.StackTraceElement
	SuppressedExceptions []java_exception.Throwabler
	ID                   int64 `hessian:"id"`
}

func newThrown(id int64) *Thrown {
	return &Thrown{
		DetailMessage: fmt.Sprintf("no user %d", id),
		StackTrace:    []java_exception.StackTraceElement{},
		ID:            id,
	}
}

// JavaClassName names the Java class.
func (*Thrown) JavaClassName() string { return notFoundClass }

// Error is the exception's message.
func (t *Thrown) Error() string { return t.DetailMessage }

// GetStackTrace makes this a java_exception.Throwabler.
func (t *Thrown) GetStackTrace() []java_exception.StackTraceElement { return t.StackTrace }

// NotFound is UserNotFoundException as a consumer catches it.
type NotFound struct {
	DetailMessage string
	ID            int64 `hessian:"id"`
}

// JavaClassName names the Java class.
func (*NotFound) JavaClassName() string { return notFoundClass }

// Error is the exception's message.
func (n *NotFound) Error() string { return n.DetailMessage }
