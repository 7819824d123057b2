import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Properties;

/**
 * Sends the calls that check.py writes to standard input through JDBC, and
 * prints what comes back: java Drivers.java URL objects|strings.
 *
 * A line holds a name, a statement, the types of its columns and the parameters,
 * separated by \u001f.  A parameter is "type=NULL" or "type==value", where "@name"
 * is the model of that name.  With "objects" a parameter is set by the method for
 * its type, with "strings" all are set by setString.
 */
class Drivers
{
	private static byte[] model(Connection c, String name) throws SQLException
	{
		try (PreparedStatement s = c.prepareStatement("SELECT model FROM models WHERE name = ?"))
		{
			s.setString(1, name.substring(1));
			ResultSet r = s.executeQuery();
			r.next();
			return r.getBytes(1);
		}
	}

	private static Array array(Connection c, String type, String text) throws SQLException
	{
		String[] items = text.substring(1, text.length() - 1).split(",");
		if (type.equals("text"))
			return c.createArrayOf("text", items);
		return c.createArrayOf("float8", Arrays.stream(items).map(Double::valueOf).toArray());
	}

	private static int sqlType(String type)
	{
		switch (type)
		{
			case "bytea": return Types.BINARY;
			case "text": return Types.VARCHAR;
			case "int": return Types.INTEGER;
			case "bigint": return Types.BIGINT;
			case "float8": return Types.DOUBLE;
			case "date": return Types.DATE;
			case "timestamptz": return Types.TIMESTAMP_WITH_TIMEZONE;
			default: return type.endsWith("[]") ? Types.ARRAY : Types.OTHER;
		}
	}

	private static void setObject(Connection c, PreparedStatement s, int i, String type, String text) throws SQLException
	{
		if (text == null)
			s.setNull(i, sqlType(type));
		else if (type.endsWith("[]"))
			s.setArray(i, array(c, type.substring(0, type.length() - 2), text));
		else
			switch (type)
			{
				case "bytea": s.setBytes(i, model(c, text)); break;
				case "int": s.setInt(i, Integer.parseInt(text)); break;
				case "bigint": s.setLong(i, Long.parseLong(text)); break;
				case "float8": s.setDouble(i, Double.parseDouble(text)); break;
				case "bool": s.setBoolean(i, Boolean.parseBoolean(text)); break;
				case "date": s.setObject(i, LocalDate.parse(text)); break;
				case "timestamptz": s.setObject(i, OffsetDateTime.parse(text.replace(' ', 'T'))); break;
				case "jsonb": s.setObject(i, text, Types.OTHER); break;
				default: s.setString(i, text);
			}
	}

	private static String hex(byte[] bytes)
	{
		StringBuilder s = new StringBuilder("\\x");
		for (byte b : bytes)
			s.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
		return s.toString();
	}

	private static String cell(ResultSet r, int i, String type) throws SQLException
	{
		Object value;
		switch (type)
		{
			case "bytea": value = r.getBytes(i) == null ? null : hex(r.getBytes(i)); break;
			case "int": value = r.getInt(i); break;
			case "bigint": value = r.getLong(i); break;
			case "float8": value = r.getDouble(i); break;
			case "bool": value = r.getBoolean(i); break;
			case "timestamp": value = r.getTimestamp(i); break;
			case "timestamptz":
				OffsetDateTime t = r.getObject(i, OffsetDateTime.class);
				value = t == null ? null : t.toLocalDateTime().toString().replace('T', ' ');
				break;
			case "float8[]":
				Array a = r.getArray(i);
				value = a == null ? null : Arrays.toString((Object[]) a.getArray()).replaceAll("[\\[\\] ]", "");
				break;
			default: value = r.getString(i);
		}
		return r.wasNull() || value == null ? "<NULL>" : value.toString();
	}

	private static void call(Connection c, String[] fields, boolean strings) throws SQLException
	{
		String[] columns = fields[2].split(" ");
		try (PreparedStatement s = c.prepareStatement(fields[1]))
		{
			for (int i = 3; i < fields.length; i++)
			{
				int equals = fields[i].indexOf('=');
				String type = fields[i].substring(0, equals), text = fields[i].substring(equals + 1);
				text = text.equals("NULL") ? null : text.substring(1);
				if (strings)
					s.setString(i - 2, text != null && type.equals("bytea") ? hex(model(c, text)) : text);
				else
					setObject(c, s, i - 2, type, text);
			}
			StringBuilder out = new StringBuilder();
			ResultSet r = s.execute() ? s.getResultSet() : null;
			while (r != null && r.next())
				for (int i = 1; i <= columns.length; i++)
					out.append(cell(r, i, columns[i - 1])).append(i == columns.length ? "\n" : "\t");
			System.out.print(out);
		}
	}

	public static void main(String[] args) throws Exception
	{
		Properties properties = new Properties();
		properties.setProperty("user", System.getenv("PGUSER"));
		properties.setProperty("password", System.getenv("PGPASSWORD"));
		String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
		try (Connection c = DriverManager.getConnection(args[0], properties))
		{
			for (String line : input.split("\n"))
			{
				String[] fields = line.split("\u001f");
				System.out.println("\u001e" + fields[0]);
				try
				{
					call(c, fields, args[1].equals("strings"));
				}
				catch (SQLException e)
				{
					System.out.println("ERROR\n" + e.getMessage());
				}
			}
		}
	}
}
