package com.example.peer;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a Java value holds, as ASCII JSON: {@code "null"}, or one key that names the kind. Text is the hexadecimal of
 * its UTF-16 units, a double that of its bits. {@code list} and {@code map} hold a type name, empty for ArrayList and
 * HashMap, {@code object} its class and fields, or its text if it is one of Java's own; {@code ref} is the number of a
 * list, map or object that came before.
 */
final class Tree {
    private final StringBuilder out = new StringBuilder();
    private final IdentityHashMap<Object, Integer> seen = new IdentityHashMap<>();

    private Tree() {}

    static String of(Object value) {
        Tree tree = new Tree();
        tree.value(value);
        return tree.out.toString();
    }

    private void value(Object value) {
        if (value == null) {
            out.append("\"null\"");
        } else if (value instanceof Boolean) {
            leaf("bool", value);
        } else if (value instanceof Byte) {
            leaf("byte", value);
        } else if (value instanceof Short) {
            leaf("short", value);
        } else if (value instanceof Integer) {
            leaf("int", value);
        } else if (value instanceof Long) {
            leaf("long", value);
        } else if (value instanceof Float) {
            leaf("float", quoted(String.format("%08x", Float.floatToIntBits((Float) value))));
        } else if (value instanceof Double) {
            leaf("double", quoted(String.format("%016x", Double.doubleToLongBits((Double) value))));
        } else if (value instanceof Character) {
            leaf("char", quoted(units(value.toString())));
        } else if (value instanceof String) {
            leaf("string", quoted(units((String) value)));
        } else if (value.getClass() == Date.class) {
            leaf("date", ((Date) value).getTime());
        } else if (value instanceof byte[]) {
            leaf("binary", quoted(hex((byte[]) value)));
        } else {
            container(value);
        }
    }

    private void container(Object value) {
        Integer number = seen.putIfAbsent(value, seen.size());
        if (number != null) {
            leaf("ref", number);
        } else if (value.getClass().isArray()) {
            list(arrayType(value.getClass()), elements(value));
        } else if (value instanceof Collection) {
            list(value.getClass() == ArrayList.class ? "" : value.getClass().getName(), (Collection<?>) value);
        } else if (value instanceof Map) {
            map(value.getClass() == HashMap.class ? "" : value.getClass().getName(), (Map<?, ?>) value);
        } else {
            object(value);
        }
    }

    private void list(String type, Collection<?> items) {
        open("list", type);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            value(item);
            separator = ",";
        }
        out.append("]]}");
    }

    private void map(String type, Map<?, ?> map) {
        open("map", type);
        String separator = "[";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            value(entry.getKey());
            out.append(',');
            value(entry.getValue());
            out.append(']');
            separator = ",[";
        }
        out.append("]]}");
    }

    private void object(Object value) {
        if (value instanceof Enum) {
            Enum<?> constant = (Enum<?>) value;
            open("object", constant.getDeclaringClass().getName());
            field("[", "name", constant.name());
        } else if (value.getClass().getName().startsWith("java.") && !(value instanceof Throwable)) {
            open("object", value.getClass().getName());
            field("[", "toString", value.toString());
        } else {
            open("object", value.getClass().getName());
            String separator = "[";
            for (Class<?> type = value.getClass(); type != null; type = type.getSuperclass()) {
                for (Field field : type.getDeclaredFields()) {
                    if ((field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0) {
                        field(separator, field.getName(), content(field, value));
                        separator = ",[";
                    }
                }
            }
        }
        out.append("]]}");
    }

    private void field(String separator, String name, Object content) {
        out.append(separator).append(quoted(units(name))).append(',');
        value(content);
        out.append(']');
    }

    private static Object content(Field field, Object object) {
        try {
            field.setAccessible(true);
            return field.get(object);
        } catch (IllegalAccessException error) {
            throw new IllegalStateException(error);
        }
    }

    private void open(String kind, String type) {
        out.append("{\"").append(kind).append("\":[").append(quoted(units(type))).append(",[");
    }

    private void leaf(String kind, Object json) {
        out.append("{\"").append(kind).append("\":").append(json).append('}');
    }

    private static String arrayType(Class<?> array) {
        Class<?> element = array.getComponentType();
        if (element.isArray()) {
            return "[" + arrayType(element);
        }
        if (element == String.class) {
            return "[string";
        }
        if (element == Object.class) {
            return "[object";
        }
        return element == Date.class ? "[date" : "[" + element.getName();
    }

    private static List<Object> elements(Object array) {
        List<Object> elements = new ArrayList<>();
        for (int i = 0; i < Array.getLength(array); i++) {
            elements.add(Array.get(array, i));
        }
        return elements;
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }

    private static String units(String text) {
        StringBuilder hex = new StringBuilder(4 * text.length());
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            digit(hex, unit >> 12);
            digit(hex, unit >> 8);
            digit(hex, unit >> 4);
            digit(hex, unit);
        }
        return hex.toString();
    }

    private static String hex(byte[] bytes) {
        StringBuilder hex = new StringBuilder(2 * bytes.length);
        for (byte octet : bytes) {
            digit(hex, octet >> 4);
            digit(hex, octet);
        }
        return hex.toString();
    }

    private static void digit(StringBuilder hex, int value) {
        hex.append(Character.forDigit(value & 15, 16));
    }
}
