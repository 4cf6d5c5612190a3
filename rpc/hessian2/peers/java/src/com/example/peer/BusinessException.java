package com.example.peer;

/** An exception with a field of its own. */
final class BusinessException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private int code;
}
