package com.example.peer;

/** An enum. */
enum Color {
    RED,
    GREEN,
    DARK_BLUE
}
