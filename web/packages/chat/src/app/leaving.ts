/**
 * Whether the session is about to end because somebody asked for it. Only then does the login page come at once; a
 * session that ends by itself leaves everybody where they are, with a banner. The phase and the reply of the command
 * may arrive in either order.
 */
export const leaving = { asked: false };
