// Package user holds the user service as Dubbo sees it: its Java classes as Go types, the
// provider's code and the consumer's stub. Nothing here knows who is at the other end.
package user

import (
	"time"

	hessian "github.com/apache/dubbo-go-hessian2"
)

// What a consumer must name to reach the service.
const (
	Interface = "com.example.user.UserService"
	Version   = "1.0.0"
	Group     = "demo"
)

// Address is com.example.user.Address.
type Address struct {
	Street string
	City   string
	Zip    *string // may be null; a plain Go string cannot tell null from empty
}

// JavaClassName names the Java class.
func (*Address) JavaClassName() string { return "com.example.user.Address" }

// Level is the Java enum com.example.user.Level. A Go value has no null: an absent level reads as Bronze.
type Level hessian.JavaEnum

// The levels, lowest first.
const (
	Bronze Level = iota
	Silver
	Gold
)

var levelNames = [...]string{Bronze: "BRONZE", Silver: "SILVER", Gold: "GOLD"}

// JavaClassName names the Java class.
func (Level) JavaClassName() string { return "com.example.user.Level" }

// String gives the name of the Java constant.
func (l Level) String() string {
	if l < Bronze || l > Gold {
		return "INVALID"
	}
	return levelNames[l]
}

// EnumValue finds the constant with the given Java name.
func (Level) EnumValue(name string) hessian.JavaEnum {
	for level, known := range levelNames {
		if known == name {
			return hessian.JavaEnum(level)
		}
	}
	return hessian.InvalidJavaEnum
}

// MarshalText makes a printed user show BRONZE and not 0.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Up is the level one step higher; Gold stays Gold.
func (l Level) Up() Level { return min(l+1, Gold) }

// User is com.example.user.User. Go knows no difference between a null and an empty list here: an
// empty one reads as nil, and nil is sent as null. The JSON form is for printing and comparing.
type User struct {
	ID       int64 `hessian:"id"`
	Name     string
	Age      int32
	Level    Level
	Address  *Address           // may be null
	Email    *string            // may be null
	Born     time.Time          `json:",omitzero"` // may be null: the zero time
	Tags     []string           `json:",omitempty"`
	Friends  []*User            `json:",omitempty"`
	Accounts map[string]float64 `json:",omitempty"`
	Photo    []byte             `json:",omitempty"`
}

// JavaClassName names the Java class.
func (*User) JavaClassName() string { return "com.example.user.User" }

func registerClasses() {
	hessian.RegisterJavaEnum(Bronze)
	hessian.RegisterPOJO(&Address{})
	hessian.RegisterPOJO(&User{})
}
