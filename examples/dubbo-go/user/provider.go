package user

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	hessian "github.com/apache/dubbo-go-hessian2"
)

// Provider implements the service. dubbo-go exports each method also under its name with a small
// first letter, which is its name in Java.
type Provider struct {
	mu    sync.Mutex
	notes []any
}

// NewProvider registers the classes of the providing side and returns the service.
func NewProvider() *Provider {
	registerClasses()
	hessian.RegisterPOJO(&Thrown{})
	return &Provider{}
}

// Greet answers "Hello, <name>!". A null name never gets here: dubbo-go calls with a *string then,
// which reflection refuses.
func (*Provider) Greet(_ context.Context, name string) (string, error) {
	return "Hello, " + name + "!", nil
}

// Next answers n + 1 and wraps around.
func (*Provider) Next(_ context.Context, n int32) (int32, error) { return n + 1, nil }

// Negate answers -n and wraps around.
func (*Provider) Negate(_ context.Context, n int64) (int64, error) { return -n, nil }

// Half answers x / 2.
func (*Provider) Half(_ context.Context, x float64) (float64, error) { return x / 2, nil }

// Not answers the opposite.
func (*Provider) Not(_ context.Context, b bool) (bool, error) { return !b, nil }

// ReverseBytes answers the bytes in reverse order.
func (*Provider) ReverseBytes(_ context.Context, data []byte) ([]byte, error) {
	reversed := append([]byte{}, data...)
	slices.Reverse(reversed)
	return reversed, nil
}

// NextDay answers the same time a day later.
func (*Provider) NextDay(_ context.Context, at time.Time) (time.Time, error) {
	return at.Add(24 * time.Hour), nil
}

// Reverse answers the words in reverse order. dubbo-go hands a method whose only parameter is an
// []any the whole list of arguments, so the list of words is its first element.
func (*Provider) Reverse(_ context.Context, args []any) ([]any, error) {
	words, err := listArgument(args)
	if err != nil {
		return nil, err
	}
	reversed := slices.Clone(words)
	slices.Reverse(reversed)
	return reversed, nil
}

// Birthday makes a user one year older and lifts the level by one.
func (*Provider) Birthday(_ context.Context, user *User) (*User, error) {
	user.Age++
	user.Level = user.Level.Up()
	return user, nil
}

// SortByAge answers the users, youngest first; those of the same age keep their order.
func (*Provider) SortByAge(_ context.Context, args []any) ([]any, error) {
	users, err := listArgument(args)
	if err != nil {
		return nil, err
	}
	sorted := make([]*User, 0, len(users))
	for _, each := range users {
		user, ok := each.(*User)
		if !ok {
			return nil, fmt.Errorf("expected a User in the list, got %T", each)
		}
		sorted = append(sorted, user)
	}
	slices.SortStableFunc(sorted, func(a, b *User) int { return int(a.Age) - int(b.Age) })
	answer := make([]any, 0, len(sorted))
	for _, user := range sorted {
		answer = append(answer, user)
	}
	return answer, nil
}

// OlderThan answers the entries whose user is older than age. The result must be a map[any]any: a
// consumer of dubbo-go cannot read its answer into a typed map.
func (*Provider) OlderThan(_ context.Context, users map[any]any, age int32) (map[any]any, error) {
	older := maps.Clone(users)
	maps.DeleteFunc(older, func(_, each any) bool {
		user, ok := each.(*User)
		return !ok || user.Age <= age
	})
	return older, nil
}

// Version answers the version of the service.
func (*Provider) Version(context.Context) (string, error) { return Version, nil }

// Remember appends a note and answers nothing.
func (p *Provider) Remember(_ context.Context, note string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, note)
	return nil
}

// Notes answers all notes of this process, oldest first.
func (p *Provider) Notes(context.Context) ([]any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.notes), nil
}

// Log appends a note. Its consumers call it one way.
func (p *Provider) Log(ctx context.Context, note string) error { return p.Remember(ctx, note) }

// Find answers the user with the id, or throws UserNotFoundException when id <= 0.
func (*Provider) Find(_ context.Context, id int64) (*User, error) {
	if id <= 0 {
		return nil, newThrown(id)
	}
	return &User{ID: id, Name: fmt.Sprintf("user-%d", id), Age: 30, Level: Silver}, nil
}

// Slow sleeps and then answers.
func (*Provider) Slow(_ context.Context, millis int32) (string, error) {
	time.Sleep(time.Duration(millis) * time.Millisecond)
	return fmt.Sprintf("slept %d ms", millis), nil
}

// Large answers a text of size letters.
func (*Provider) Large(_ context.Context, size int32) (string, error) {
	return strings.Repeat("x", int(size)), nil
}

func listArgument(args []any) ([]any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("expected one list, got %d arguments", len(args))
	}
	switch list := args[0].(type) {
	case []any:
		return list, nil
	case []string:
		words := make([]any, 0, len(list))
		for _, word := range list {
			words = append(words, word)
		}
		return words, nil
	case nil:
		return []any{}, nil
	default:
		return nil, fmt.Errorf("expected a list, got %T", args[0])
	}
}
