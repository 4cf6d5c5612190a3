package com.example.peer;

import com.alibaba.com.caucho.hessian.io.Hessian2Input;
import com.alibaba.com.caucho.hessian.io.Hessian2Output;
import com.alibaba.com.caucho.hessian.io.SerializerFactory;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.logging.LogManager;

/**
 * Reads Hessian values from standard input and answers each on standard output, until the input ends.
 *
 * <p>A request is the length of a value (4 bytes, big endian) and the value. The answer is its length (4 bytes), then
 * 0, the length of a {@link Tree} (4 bytes), the tree, and the value as this library writes it; or 1 and what the
 * library threw.
 */
public final class Peer {
    /** An int that stands behind each value, to see that reading has ended where the value ends. */
    private static final byte[] END = {'I', 0x7e, 0x57, (byte) 0xab, 0x1e};
    private static final int END_VALUE = 0x7e57ab1e;

    private static final SerializerFactory FACTORY = new SerializerFactory();

    private Peer() {}

    /** Serves on a stack that holds deep values. */
    public static void main(String[] arguments) {
        LogManager.getLogManager().reset(); // it logs each unknown class
        new Thread(null, Peer::serve, "peer", 256L << 20).start();
    }

    private static void serve() {
        try (DataInputStream in = new DataInputStream(System.in);
                DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16))) {
            while (true) {
                if (in.available() == 0) {
                    out.flush();
                }
                int first = in.read();
                if (first < 0) {
                    return;
                }
                int length = first << 24 | in.readUnsignedByte() << 16 | in.readUnsignedShort();
                byte[] answer = answer(in.readNBytes(length));
                out.writeInt(answer.length);
                out.write(answer);
            }
        } catch (IOException error) {
            error.printStackTrace();
            System.exit(1);
        }
    }

    private static byte[] answer(byte[] request) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        try {
            Object value = read(request);
            byte[] again = write(value); // before BigInteger.toString() fills its fields
            byte[] tree = Tree.of(value).getBytes(StandardCharsets.US_ASCII);
            out.writeByte(0);
            out.writeInt(tree.length);
            out.write(tree);
            out.write(again);
        } catch (Exception | StackOverflowError error) {
            bytes.reset();
            out.writeByte(1);
            out.write(error.toString().getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static Object read(byte[] request) throws IOException {
        byte[] body = Arrays.copyOf(request, request.length + END.length);
        System.arraycopy(END, 0, body, request.length, END.length);
        Hessian2Input in = new Hessian2Input(new ByteArrayInputStream(body));
        in.setSerializerFactory(FACTORY);
        Object value = in.readObject();
        Object end = in.readObject();
        if (!Integer.valueOf(END_VALUE).equals(end)) {
            throw new IOException("the value ends elsewhere: behind it came " + end);
        }
        return value;
    }

    private static byte[] write(Object value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Hessian2Output out = new Hessian2Output(bytes);
        out.setSerializerFactory(FACTORY);
        out.writeObject(value);
        out.flush();
        return bytes.toByteArray();
    }
}
