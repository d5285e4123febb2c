// Package house is a theatre with forty seats: who holds one, who has paid for it.
//
// Everything that changes a seat locks its row first and decides by what is in that row
// (hold.go, pay.go). naive.go does the same without locks, as it is often written, and
// sells seats twice.
package house
